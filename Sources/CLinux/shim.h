// Linux calls that the Glibc module does not carry, or carries as macros or variadics.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

/// The first place of needle in haystack, or NULL; memmem(3).
static inline const void *sluice_memmem(const void *haystack, size_t n, const void *needle, size_t k) {
    extern void *memmem(const void *, size_t, const void *, size_t);
    return memmem(haystack, n, needle, k);
}
static inline int sluice_open(const char *path, int flags, unsigned mode) { return open(path, flags, mode); }
static inline int sluice_errno(void) { return errno; }
static inline void sluice_set_errno(int code) { errno = code; }
static inline int sluice_lock_file(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }
static inline void sluice_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
static inline int64_t sluice_stat_mtime_ns(const struct stat *s) { return (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec; }
