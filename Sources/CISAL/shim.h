// ISA-L's deflate and checksums, with what Swift cannot import: macros of macros, and the vzeroupper it leaves out.
#pragma once
#include <isa-l.h>
#include <stdint.h>

static const uint32_t sluice_isal_level1_buffer_size = ISAL_DEF_LVL1_DEFAULT;

/// isal_deflate leaves the upper halves of the AVX registers dirty, which slows every SSE instruction that follows (zlib's
/// most of all) to about half its speed, until they are cleared.
static inline int sluice_isal_deflate(struct isal_zstream *stream) {
    int result = isal_deflate(stream);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx")) __asm__ volatile("vzeroupper" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
    return result;
}
