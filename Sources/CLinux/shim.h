// Linux calls that the Glibc module does not carry, or carries as macros or variadics.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/// The first place of needle in haystack, or NULL; memmem(3).
static inline const void *sluice_memmem(const void *haystack, size_t n, const void *needle, size_t k) {
    extern void *memmem(const void *, size_t, const void *, size_t);
    return memmem(haystack, n, needle, k);
}
static inline int sluice_open(const char *path, int flags, unsigned mode) { return open(path, flags, mode); }
/// The first offset from `from` on at which the file holds data and no hole, or -1 with errno; lseek(2) with SEEK_DATA.
static inline int64_t sluice_seek_data(int fd, int64_t from) { return lseek(fd, from, 3 /* SEEK_DATA */); }
/// When the open file was made and when its names or mode changed last, nanoseconds since 1970; -1 in `born` where the file
/// system does not know. statx(2), by its number: glibc declares it for _GNU_SOURCE only, which a module must not set for others.
static inline int sluice_birth(int fd, int64_t *born, int64_t *changed) {
    // struct statx of linux/stat.h, by its offsets.
    enum { SIZE = 256, MASK = 0, BTIME = 80, CTIME = 96, EMPTY_PATH = 0x1000, HAS_CTIME = 0x80, HAS_BTIME = 0x800 };
    unsigned char raw[SIZE] = {0};
    if (syscall(SYS_statx, fd, "", EMPTY_PATH, HAS_CTIME | HAS_BTIME, raw) != 0) return -1;
    uint32_t mask, nanoseconds;
    int64_t seconds;
    memcpy(&mask, raw + MASK, sizeof mask);
    memcpy(&seconds, raw + BTIME, sizeof seconds);
    memcpy(&nanoseconds, raw + BTIME + 8, sizeof nanoseconds);
    *born = mask & HAS_BTIME ? seconds * 1000000000 + nanoseconds : -1;
    memcpy(&seconds, raw + CTIME, sizeof seconds);
    memcpy(&nanoseconds, raw + CTIME + 8, sizeof nanoseconds);
    *changed = seconds * 1000000000 + nanoseconds;
    return 0;
}
static inline int sluice_errno(void) { return errno; }
static inline void sluice_set_errno(int code) { errno = code; }
static inline int sluice_lock_file(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }
/// The user as whom the calling thread alone opens files; returns the one before; setfsuid(2). For tests.
static inline int sluice_file_user(unsigned user) { return setfsuid(user); }
/// Whether the process was started with this signal ignored, as nohup(1) does; sigaction(2).
static inline int sluice_signal_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_IGN;
}
/// Names the calling thread, for ps and perf; pthread_setname_np(3). At most 15 bytes.
static inline void sluice_name_thread(const char *name) {
    extern int pthread_setname_np(pthread_t, const char *);
    pthread_setname_np(pthread_self(), name);
}

/// Unmaps the program's own code. What is needed again is mapped again, page by page, from the page cache.
static inline int sluice_unmap_code(void) {
    extern const char __executable_start[], etext[];  // of the linker
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)__executable_start & ~(page - 1), to = (uintptr_t)etext & ~(page - 1);
    return madvise((void *)from, to - from, MADV_DONTNEED);
}
