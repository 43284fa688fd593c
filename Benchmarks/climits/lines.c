// The first stages: a piece of the log in a buffer, and where its lines, times and messages are.
#include "CLimits.h"
#include "support.h"
#include <unistd.h>

/// Takes the whole lines among the first `count` bytes, and makes the piece empty but for them.
static size_t take_lines(struct climits_piece *piece, size_t count) {
    while (count > 0 && piece->bytes[count - 1] != '\n') count--;
    piece->byte_count = count;
    piece->row_count = piece->member_count = piece->text_count = piece->packed_count = 0;
    return count;
}

size_t climits_copy(struct climits_piece *piece, const uint8_t *input, size_t count) {
    MAKE_ROOM(piece->bytes, piece->byte_room, count);
    memcpy(piece->bytes, input, count);
    return take_lines(piece, count);
}

int64_t climits_read_piece(struct climits_piece *piece, int file, int64_t offset, size_t count) {
    MAKE_ROOM(piece->bytes, piece->byte_room, count);
    ssize_t n = pread(file, piece->bytes, count, offset);
    return n < 0 ? -1 : (int64_t)take_lines(piece, (size_t)n);
}

/// The second that was read last: lines of one second share their first 19 bytes.
struct second {
    uint64_t head, middle, tail;  // the words at 0, 8 and 11
    int64_t seconds;              // since 1970
};

static const int64_t no_time = INT64_MIN;

static inline bool are_digits(uint64_t word) {
    const uint64_t high = 0xf0f0f0f0f0f0f0f0, three = 0x3030303030303030;
    return (word & high) == three && ((word + 0x0606060606060606) & high) == three;
}

static inline uint64_t eight_digits(uint64_t word) {
    word = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
    word = (word & 0x00ff00ff00ff00ff) * 6553601 >> 16;
    return (word & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

/// The number of two digits, or more than 99.
static inline unsigned pair(const uint8_t *p) {
    unsigned tens = p[0] - '0', ones = p[1] - '0';
    return tens < 10 && ones < 10 ? tens * 10 + ones : 1000;
}

/// Days from 1970-01-01; years are counted from March, so that the leap day is a year's last.
static int64_t days(unsigned year, unsigned month, unsigned day) {
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t century = (y < 0 ? y - 399 : y) / 400, of_century = y - century * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return century * 146097 + of_century * 365 + of_century / 4 - of_century / 100 + of_year - 719468;
}

static __attribute__((noinline)) bool read_second(const uint8_t *p, struct second *second) {
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned century = pair(p), of_century = pair(p + 2), month = pair(p + 5), day = pair(p + 8);
    unsigned hour = pair(p + 11), minute = pair(p + 14), sec = pair(p + 17);
    if (p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':') return false;
    if (century > 99 || of_century > 99 || month < 1 || month > 12) return false;
    if (hour > 23 || minute > 59 || sec > 59) return false;
    unsigned year = century * 100 + of_century;
    // Whole years of which 64 bits can hold the nanoseconds.
    if (year < 1678 || year > 2261) return false;
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day < 1 || day > lengths[month - 1] + (month == 2 && is_leap ? 1u : 0u)) return false;
    second->head = word_at(p);
    second->middle = word_at(p + 8);
    second->tail = word_at(p + 11);
    second->seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + sec;
    return true;
}

/// Nanoseconds since 1970 of the 30 bytes at `p`, or `no_time`.
static inline int64_t read_time(const uint8_t *p, struct second *second) {
    if (word_at(p) != second->head || word_at(p + 8) != second->middle || word_at(p + 11) != second->tail) {
        if (!read_second(p, second)) return no_time;
    }
    uint64_t fraction = word_at(p + 20);
    unsigned last = p[28] - '0';
    if (p[19] != '.' || !are_digits(fraction) || last > 9 || p[29] != 'Z') return no_time;
    return second->seconds * 1000000000 + (int64_t)(eight_digits(fraction) * 10 + last);
}

void climits_split(struct climits_piece *piece) {
    // Words that disagree where they overlap match nothing.
    struct second second = {.tail = UINT64_MAX};
    const uint8_t *start = piece->bytes, *end = start + piece->byte_count;
    const uint8_t *newline;
    for (const uint8_t *p = start; p < end; p = newline + 1) {
        newline = memchr(p, '\n', (size_t)(end - p));
        if (newline - p < 39) continue;
        int64_t time = read_time(p, &second);
        if (time == no_time) continue;
        uint64_t stream = word_at(p + 30);
        bool is_stderr = stream == 0x2072726564747320;  // " stderr "
        if (stream != 0x2074756f64747320 && !is_stderr) continue;
        if (p[38] != 'F' && p[38] != 'P') continue;
        const uint8_t *message = p + 39;
        // Further tags, as the format allows.
        if (*message == ':') while (*message != ' ' && *message != '\n') message++;
        if (*message != ' ' && *message != '\n') continue;
        if (*message == ' ') message++;
        MAKE_ROOM(piece->rows, piece->row_room, piece->row_count + 1);
        piece->rows[piece->row_count++] = (struct climits_row){
            .time = time,
            .time_start = (uint32_t)(p - start),
            .message_start = (uint32_t)(message - start),
            .message_length = (uint32_t)(newline - message),
            .stream = is_stderr ? 2 : 1,
        };
    }
}

void climits_piece_free(struct climits_piece *piece) {
    free(piece->bytes);
    free(piece->rows);
    free(piece->tape);
    free(piece->text);
    free(piece->packed);
    *piece = (struct climits_piece){0};
}
