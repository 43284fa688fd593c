// Writes records: a prefix, the message's own bytes, the metadata of its source, each copied as a whole.
#include "CLimits.h"
#include "support.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// What stands between the time and the message, by stream and severity. Copied whole; only `length` bytes count.
struct middle {
    char text[55];
    uint8_t length;
};

#define MIDDLE(text) {text, sizeof(text) - 1}
#define SEVERITY(stream, name) MIDDLE("\"" stream ",\"severity\":\"" name "\"")
#define OF_STREAM(stream) \
    {MIDDLE("\"" stream), SEVERITY(stream, "trace"), SEVERITY(stream, "debug"), SEVERITY(stream, "info"), \
     SEVERITY(stream, "notice"), SEVERITY(stream, "warning"), SEVERITY(stream, "error"), SEVERITY(stream, "critical"), \
     SEVERITY(stream, "alert"), SEVERITY(stream, "emergency")}

static const struct middle middles[3][10] = {
    OF_STREAM(""), OF_STREAM(",\"stream\":\"stdout\""), OF_STREAM(",\"stream\":\"stderr\"")};

/// Copies a block and returns how many of its bytes, from the first on, need nothing more: up to a quote, a backslash,
/// a control character or a byte above 7f.
#ifdef __SSE2__
enum { block = 16 };
static inline size_t copy_plain(const uint8_t *p, uint8_t *out) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    _mm_storeu_si128((__m128i *)out, bytes);
    // As signed numbers, control characters and bytes above 7f are all below 20.
    __m128i stops = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(stops) | 1u << 16);
}
#else
enum { block = 8 };
static inline size_t copy_plain(const uint8_t *p, uint8_t *out) {
    uint64_t word = word_at(p);
    memcpy(out, &word, sizeof word);
    uint64_t stops = stops_in(word);
    return stops ? (size_t)__builtin_ctzll(stops) >> 3 : 8;
}
#endif

/// Writes an ASCII byte that is a quote, a backslash or a control character.
static uint8_t *escape_byte(uint8_t *out, uint8_t byte) {
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    *out++ = '\\';
    if (byte >= 0x20 || letters[byte]) {
        *out++ = byte >= 0x20 ? byte : (uint8_t)letters[byte];
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = (uint8_t)('0' + (byte >> 4));
    out[4] = (uint8_t)"0123456789abcdef"[byte & 15];
    return out + 5;
}

/// Writes a message as the inside of a JSON string. A newline follows it, as `utf8_step` needs.
static uint8_t *escape_text(uint8_t *out, const uint8_t *p, size_t count, bool *is_mended) {
    const uint8_t *end = p + count;
    while (p < end) {
        size_t plain = copy_plain(p, out), left = (size_t)(end - p);
        if (plain > left) plain = left;
        p += plain;
        out += plain;
        if (plain == block || p == end) continue;
        if (*p < 0x80) {
            out = escape_byte(out, *p++);
            continue;
        }
        do {
            int length = utf8_step(p);
            if (length > 0) {
                memcpy(out, p, 4);
                out += length;
                p += length;
            } else {
                memcpy(out, "\xef\xbf\xbd", 3);
                out += 3;
                p -= length;
                *is_mended = true;
            }
        } while (p < end && *p >= 0x80);
    }
    return out;
}

#define PUT(literal) (memcpy(out, literal, sizeof(literal) - 1), out += sizeof(literal) - 1)

void climits_encode(struct climits_piece *piece, const uint8_t *ending, size_t ending_count) {
    for (size_t i = 0; i < piece->row_count; i++) {
        const struct climits_row *row = piece->rows + i;
        bool is_object = row->tape_count > 0, is_mended = false;
        size_t message_room = is_object ? row->body_length : row->message_length * 6;
        MAKE_ROOM(piece->text, piece->text_room, piece->text_count + message_room + ending_count + 256);
        uint8_t *out = piece->text + piece->text_count;
        PUT("{\"time\":\"");
        memcpy(out, piece->bytes + row->time_start, 30);
        out += 30;
        const struct middle *middle = &middles[row->stream][row->severity];
        memcpy(out, middle->text, sizeof middle->text);
        out += middle->length;
        if (is_object) {
            *out++ = ',';
            memcpy(out, piece->bytes + row->body_start, row->body_length);
            out += row->body_length;
        } else {
            PUT(",\"message\":\"");
            out = escape_text(out, piece->bytes + row->message_start, row->message_length, &is_mended);
            *out++ = '"';
            if (is_mended) PUT(",\"sluice\":[\"invalid_text\"]");
        }
        memcpy(out, ending, ending_count);
        piece->text_count = (size_t)(out + ending_count - piece->text);
    }
}
