// ISA-L's deflate and checksums, with what Swift cannot import: macros of macros, and the vzeroupper it leaves out.
// Each call into it goes through a function here.
#pragma once
#include <isa-l.h>
#include <stdint.h>

static const uint32_t sluice_isal_level1_buffer_size = ISAL_DEF_LVL1_DEFAULT;

/// ISA-L leaves the upper halves of the AVX registers dirty, which slows every SSE instruction that follows (zlib's, and those
/// that escape text) to about half its speed, until they are cleared.
static inline void sluice_clear_registers(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx")) __asm__ volatile("vzeroupper" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
}

/// isal_deflate
static inline int sluice_isal_deflate(struct isal_zstream *stream) {
    int result = isal_deflate(stream);
    sluice_clear_registers();
    return result;
}

/// crc32_gzip_refl: the CRC-32 of gzip, continued from `previous`.
static inline uint32_t sluice_isal_crc32(uint32_t previous, const uint8_t *bytes, uint64_t count) {
    uint32_t checksum = crc32_gzip_refl(previous, bytes, count);
    sluice_clear_registers();
    return checksum;
}

/// crc32_iscsi: CRC-32C, complemented neither before nor after.
static inline uint32_t sluice_isal_crc32c(const uint8_t *bytes, int count, uint32_t previous) {
    uint32_t checksum = crc32_iscsi((unsigned char *)bytes, count, previous);
    sluice_clear_registers();
    return checksum;
}
