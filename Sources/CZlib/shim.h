// zlib, with inline functions for the macros that Swift cannot import.
#pragma once
#include <zlib.h>

static inline int sluice_deflate_init_raw(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}
/// window_bits: -15 raw deflate, 31 gzip.
static inline int sluice_inflate_init(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }
