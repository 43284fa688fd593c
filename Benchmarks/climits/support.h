// What the stages share: words, room in buffers, clean registers, UTF-8.
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are compared as little-endian numbers");

/// Bytes behind a buffer's room that may be loaded and overwritten.
enum { slack = 64 };

static inline uint64_t word_at(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint32_t half_at(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/// The high bits of the bytes that end a plain run of a string: quotes, backslashes, control characters, bytes above
/// 7f. Those above the lowest such byte may be wrong.
static inline uint64_t stops_in(uint64_t word) {
    const uint64_t ones = 0x0101010101010101;
    // With bit 1 turned over, a quote is 20, and comes just behind the control characters; nothing else does.
    uint64_t quotes_and_controls = (word ^ ones * 0x02) - ones * 0x21, backslashes = (word ^ ones * '\\') - ones;
    return (quotes_and_controls | backslashes | word) & ones * 0x80;
}

/// Makes room for `wanted` elements of `size` bytes; the contents stay.
static inline void *with_room(void *buffer, size_t *room, size_t wanted, size_t size) {
    if (wanted <= *room) return buffer;
    *room = wanted > *room * 2 ? wanted : *room * 2;
    void *moved = realloc(buffer, *room * size + slack);
    if (!moved) abort();
    return moved;
}

#define MAKE_ROOM(buffer, room, wanted) ((buffer) = with_room((buffer), &(room), (wanted), sizeof *(buffer)))

/// Clears the upper halves of the AVX registers.
static inline void clear_registers(void) {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx")) return;
    __asm__ volatile("vzeroupper" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
}

/// The length of the sequence at `p` (1 to 4), or of a maximal invalid subpart (1 to 3) as a negative number; table 3-7
/// of the Unicode Standard. An ASCII byte must follow the text: it ends every sequence, so that no end has to be asked
/// for.
static inline int utf8_step(const uint8_t *p) {
    uint8_t lead = p[0];
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return -1;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high) return -1;
    if (lead < 0xe0) return 2;
    if ((p[2] & 0xc0) != 0x80) return -2;
    if (lead < 0xf0) return 3;
    return (p[3] & 0xc0) == 0x80 ? 4 : -3;
}
