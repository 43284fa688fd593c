// Compression and checksums: the same encoder at the same level as in the Gzip target, called from C. Every call into
// ISA-L is followed by a clearing of the registers that it leaves dirty.
#include "CLimits.h"
#include "support.h"
#include <zlib.h>
#ifdef ISAL
#include <isa-l.h>
#endif

/// Room for stored blocks, their headers, the flush and the final block.
static size_t bound(size_t count) { return count + count / 1000 * 6 + 4096; }

#ifdef ISAL
struct climits_deflater {
    struct isal_zstream stream;
    uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
};

struct climits_deflater *climits_deflater_new(void) { return malloc(sizeof(struct climits_deflater)); }
void climits_deflater_free(struct climits_deflater *deflater) { free(deflater); }

void climits_deflate(struct climits_piece *piece, struct climits_deflater *deflater) {
    struct isal_zstream *stream = &deflater->stream;
    MAKE_ROOM(piece->packed, piece->packed_room, bound(piece->text_count));
    isal_deflate_init(stream);
    stream->level = 1;
    stream->level_buf = deflater->level_buffer;
    stream->level_buf_size = sizeof deflater->level_buffer;
    stream->flush = FULL_FLUSH;
    stream->end_of_stream = 0;
    stream->gzip_flag = IGZIP_DEFLATE;
    stream->next_in = piece->text;
    stream->avail_in = (uint32_t)piece->text_count;
    stream->next_out = piece->packed;
    stream->avail_out = (uint32_t)piece->packed_room;
    if (isal_deflate(stream) != COMP_OK || stream->avail_in > 0) abort();
    clear_registers();
    memcpy(stream->next_out, "\x03\x00", 2);
    piece->packed_count = (size_t)(stream->next_out - piece->packed) + 2;
}

uint32_t climits_crc32(uint32_t previous, const uint8_t *bytes, size_t count) {
    uint32_t checksum = crc32_gzip_refl(previous, bytes, count);
    clear_registers();
    return checksum;
}

uint32_t climits_crc32c(const uint8_t *bytes, size_t count) {
    uint32_t checksum = crc32_iscsi((unsigned char *)bytes, (int)count, ~0u);
    clear_registers();
    return ~checksum;
}
#else
struct climits_deflater {
    z_stream stream;
};

struct climits_deflater *climits_deflater_new(void) {
    struct climits_deflater *deflater = calloc(1, sizeof *deflater);
    if (!deflater || deflateInit2(&deflater->stream, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    return deflater;
}

void climits_deflater_free(struct climits_deflater *deflater) {
    deflateEnd(&deflater->stream);
    free(deflater);
}

void climits_deflate(struct climits_piece *piece, struct climits_deflater *deflater) {
    z_stream *stream = &deflater->stream;
    MAKE_ROOM(piece->packed, piece->packed_room, bound(piece->text_count));
    deflateReset(stream);
    stream->next_in = piece->text;
    stream->avail_in = (uInt)piece->text_count;
    stream->next_out = piece->packed;
    stream->avail_out = (uInt)piece->packed_room;
    if (deflate(stream, Z_FULL_FLUSH) != Z_OK || stream->avail_in > 0) abort();
    memcpy(stream->next_out, "\x03\x00", 2);
    piece->packed_count = (size_t)(stream->next_out - piece->packed) + 2;
}

uint32_t climits_crc32(uint32_t previous, const uint8_t *bytes, size_t count) {
    return (uint32_t)crc32_z(previous, bytes, count);
}

/// tables[k][b]: what byte b does to the checksum when k more bytes follow it.
static uint32_t tables[8][256];

static void __attribute__((constructor)) make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
        tables[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++) {
        for (int byte = 0; byte < 256; byte++) {
            uint32_t crc = tables[k - 1][byte];
            tables[k][byte] = crc >> 8 ^ tables[0][crc & 255];
        }
    }
}

uint32_t climits_crc32c(const uint8_t *bytes, size_t count) {
    uint32_t crc = ~0u;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word = word_at(bytes) ^ crc;
        crc = 0;
        for (int k = 0; k < 8; k++) crc ^= tables[7 - k][word >> 8 * k & 255];
    }
    for (; count > 0; bytes++, count--) crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 255];
    return ~crc;
}
#endif

void climits_clear_registers(void) { clear_registers(); }

void climits_checksum(struct climits_piece *piece) {
    piece->text_checksum = climits_crc32(0, piece->text, piece->text_count);
    piece->packed_checksum = climits_crc32c(piece->packed, piece->packed_count);
}
