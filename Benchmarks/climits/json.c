// Validates JSON objects and notes their members: a scanner that goes eight bytes at a time through strings. Every
// message is followed by a newline, which no token may contain and which is not skipped as white space here, so it ends
// whatever is being read and no function asks for the end. (A message is a line: there is no newline within it.)
#include "CLimits.h"
#include "support.h"

enum { maximum_depth = 128 };

static inline const uint8_t *skip_space(const uint8_t *p) {
    while (*p == ' ' || *p == '\t' || *p == '\r') p++;
    return p;
}

/// Four hexadecimal digits, or -1.
static int hexadecimal(const uint8_t *p) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t digit = p[i] - '0', letter = (p[i] | 0x20) - 'a';
        if (digit > 9 && letter > 5) return -1;
        value = value << 4 | (digit <= 9 ? digit : letter + 10);
    }
    return value;
}

/// Behind the escape at `p`; NULL for a wrong one, half a surrogate pair among them, and for control characters.
static __attribute__((noinline)) const uint8_t *escape(const uint8_t *p) {
    if (*p != '\\') return NULL;
    switch (p[1]) {
        case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return p + 2;
        case 'u': {
            int unit = hexadecimal(p + 2);
            if (unit < 0) return NULL;
            if ((unit & 0xf800) != 0xd800) return p + 6;
            if (unit >= 0xdc00 || p[6] != '\\' || p[7] != 'u') return NULL;
            int low = hexadecimal(p + 8);
            return low >= 0 && (low & 0xfc00) == 0xdc00 ? p + 12 : NULL;
        }
        default: return NULL;
    }
}

/// From behind a string's first quote to behind its last one.
static inline const uint8_t *string(const uint8_t *p) {
    for (;;) {
        uint64_t stops = stops_in(word_at(p));
        if (!stops) {
            p += 8;
            continue;
        }
        p += __builtin_ctzll(stops) >> 3;
        if (*p == '"') return p + 1;
        if (*p >= 0x80) {
            do {
                int length = utf8_step(p);
                if (length < 0) return NULL;
                p += length;
            } while (*p >= 0x80);
        } else if (!(p = escape(p))) {
            return NULL;
        }
    }
}

static inline const uint8_t *digits(const uint8_t *p) {
    while ((uint8_t)(*p - '0') < 10) p++;
    return p;
}

static inline const uint8_t *number(const uint8_t *p) {
    if (*p == '-') p++;
    const uint8_t *whole = p;
    p = digits(p);
    if (p == whole || (*whole == '0' && p > whole + 1)) return NULL;
    if (*p == '.') {
        const uint8_t *fraction = p + 1;
        p = digits(fraction);
        if (p == fraction) return NULL;
    }
    if ((*p | 0x20) == 'e') {
        p++;
        if (*p == '+' || *p == '-') p++;
        const uint8_t *exponent = p;
        p = digits(exponent);
        if (p == exponent) return NULL;
    }
    return p;
}

static const uint8_t *container(const uint8_t *p, int depth);

static inline const uint8_t *value(const uint8_t *p, int depth) {
    switch (*p) {
        case '"': return string(p + 1);
        case '{': case '[': return depth < maximum_depth ? container(p, depth + 1) : NULL;
        case 't': return half_at(p) == 0x65757274 ? p + 4 : NULL;
        case 'n': return half_at(p) == 0x6c6c756e ? p + 4 : NULL;
        case 'f': return half_at(p + 1) == 0x65736c61 ? p + 5 : NULL;
        default: return number(p);
    }
}

/// An object or array from its opening bracket to behind the closing one.
static const uint8_t *container(const uint8_t *p, int depth) {
    bool is_object = *p == '{';
    uint8_t close = is_object ? '}' : ']';
    p = skip_space(p + 1);
    if (*p == close) return p + 1;
    for (;;) {
        if (is_object) {
            if (*p != '"' || !(p = string(p + 1))) return NULL;
            p = skip_space(p);
            if (*p != ':') return NULL;
            p = skip_space(p + 1);
        }
        if (!(p = value(p, depth))) return NULL;
        p = skip_space(p);
        if (*p == close) return p + 1;
        if (*p != ',') return NULL;
        p = skip_space(p + 1);
    }
}

/// Scans one message; notes its members and the row's body when it is an object that has any.
static inline bool scan_object(struct climits_piece *piece, struct climits_row *row) {
    const uint8_t *start = piece->bytes, *end = start + row->message_start + row->message_length;
    const uint8_t *p = skip_space(start + row->message_start);
    size_t count = piece->member_count;
    if (*p != '{') return false;
    const uint8_t *body = p = skip_space(p + 1), *body_end;
    for (;;) {
        if (*p != '"') return false;
        const uint8_t *key = p + 1;
        if (!(p = string(key))) return false;
        const uint8_t *key_end = p - 1;
        p = skip_space(p);
        if (*p != ':') return false;
        const uint8_t *member_value = p = skip_space(p + 1);
        if (!(p = value(p, 1))) return false;
        body_end = p;
        MAKE_ROOM(piece->tape, piece->member_room, count + 1);
        piece->tape[count++] = (struct climits_member){
            .key_start = (uint32_t)(key - start),
            .key_length = (uint32_t)(key_end - key),
            .value_start = (uint32_t)(member_value - start),
            .value_length = (uint32_t)(p - member_value),
        };
        p = skip_space(p);
        if (*p == '}') break;
        if (*p != ',') return false;
        p = skip_space(p + 1);
    }
    if (skip_space(p + 1) != end) return false;
    row->tape_start = (uint32_t)piece->member_count;
    row->tape_count = (uint32_t)(count - piece->member_count);
    row->body_start = (uint32_t)(body - start);
    row->body_length = (uint32_t)(body_end - body);
    piece->member_count = count;
    return true;
}

/// The first eight bytes of a literal as `word_at` loads them, zero behind its end.
static inline uint64_t first_word(const char *literal, size_t length) {
    uint64_t word = 0;
    memcpy(&word, literal, length < 8 ? length : 8);
    return word;
}

/// The severity that a logger's name stands for, in any case; 0 for other words.
static uint8_t severity_named(const uint8_t *p, size_t length) {
    if (length < 3 || length > 11) return 0;
    uint64_t mask = length < 8 ? (1ull << 8 * length) - 1 : ~0ull;
    uint64_t word = (word_at(p) | 0x2020202020202020) & mask;
#define IS(name) (length == sizeof name - 1 && word == first_word(name, sizeof name - 1))
    if (IS("info") || IS("information") || IS("config") || IS("inf")) return 3;
    if (IS("debug") || IS("fine") || IS("dbg")) return 2;
    if (IS("warn") || IS("warning") || IS("wrn")) return 5;
    if (IS("error") || IS("err") || IS("severe")) return 6;
    if (IS("trace") || IS("verbose") || IS("finest") || IS("finer")) return 1;
    if (IS("notice")) return 4;
    if (IS("critical") || IS("crit") || IS("fatal") || IS("dpanic") || IS("ftl")) return 7;
    if (IS("alert")) return 8;
    if (IS("emergency") || IS("emerg") || IS("panic")) return 9;
#undef IS
    return 0;
}

/// The severity that a number stands for: 0 to 7 as in syslog, 10 to 69 as in pino and bunyan.
static uint8_t severity_numbered(const uint8_t *p, size_t length) {
    static const uint8_t syslog[] = {9, 8, 7, 6, 5, 4, 3, 2}, pino[] = {0, 1, 2, 3, 5, 6, 7, 0, 0, 0};
    unsigned number = length == 1 ? p[0] - '0' : (p[0] - '0') * 10u + p[1] - '0';
    return number < 8 ? syslog[number] : number < 100 ? pino[number / 10] : 0;
}

static inline uint8_t severity(const struct climits_piece *piece, const struct climits_row *row) {
    const struct climits_member *member = piece->tape + row->tape_start;
    for (uint32_t i = 0; i < row->tape_count; i++, member++) {
        uint64_t word = word_at(piece->bytes + member->key_start);
        bool is_severity;
        switch (member->key_length) {
            case 3: is_severity = (word & 0xffffff) == 0x6c766c; break;          // lvl
            case 5: is_severity = (word & 0xffffffffff) == 0x6c6576656c; break;  // level
            case 8: is_severity = word == 0x7974697265766573; break;             // severity
            default: is_severity = false;
        }
        if (!is_severity) continue;
        const uint8_t *p = piece->bytes + member->value_start;
        size_t length = member->value_length;
        uint8_t found = 0;
        if (*p == '"') found = severity_named(p + 1, length - 2);
        else if (*p >= '0' && *p <= '9' && length <= 2) found = severity_numbered(p, length);
        if (found) return found;
    }
    return 0;
}

void climits_parse(struct climits_piece *piece) {
    for (size_t i = 0; i < piece->row_count; i++) {
        struct climits_row *row = piece->rows + i;
        uint8_t first = piece->bytes[row->message_start];
        if (row->message_length <= 2 || (first != '{' && first != ' ' && first != '\t')) continue;
        if (scan_object(piece, row)) row->severity = severity(piece, row);
    }
}
