// sd-journal, and what keeps a damaged journal from ending the process: libsystemd maps the files, and a page of them that cannot
// be read (the file was cut short, the disk is broken) is SIGBUS.
#pragma once
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/// A thread that reads mapped journals, and the pages it could not read.
struct sluice_journal_thread { volatile int depth, faults; };
/// Who handled SIGBUS before us.
struct sluice_journal_signal { struct sigaction previous; uintptr_t page_size; };

// Variables of their own for each object file: only one Swift file may use what is below. (Swift does not emit those of a header's
// file scope.)
static inline struct sluice_journal_thread *sluice_journal_thread(void) {
    static __thread struct sluice_journal_thread thread;
    return &thread;
}
static inline struct sluice_journal_signal *sluice_journal_signal(void) {
    static struct sluice_journal_signal state;
    return &state;
}

/// Puts zeros where the page should be, so that libsystemd finds damage instead. A fault outside of a journal goes to whoever was
/// there before us: the instruction is run again, and meets the old handler.
static inline void sluice_journal_on_fault(int number, siginfo_t *info, void *context) {
    struct sluice_journal_thread *thread = sluice_journal_thread();
    size_t size = sluice_journal_signal()->page_size;
    (void)context;
    if (thread->depth > 0 && info->si_code == BUS_ADRERR && info->si_addr) {
        void *page = (void *)((uintptr_t)info->si_addr & ~(uintptr_t)(size - 1));
        if (mmap(page, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page) {
            thread->faults += 1;
            return;
        }
    }
    sigaction(number, &sluice_journal_signal()->previous, NULL);
}

/// Handles SIGBUS from now on; sigaction(2). To be called once.
static inline void sluice_journal_handle_faults(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = sluice_journal_on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sluice_journal_signal()->page_size = (size_t)sysconf(_SC_PAGESIZE);
    sigaction(SIGBUS, &action, &sluice_journal_signal()->previous);
}

/// From here to `sluice_journal_end`, which wants what is returned, the calling thread reads mapped journals.
static inline int sluice_journal_begin(void) {
    sluice_journal_thread()->depth += 1;
    return sluice_journal_thread()->faults;
}

/// Ends what `sluice_journal_begin` began, and tells how many pages could not be read since.
static inline int sluice_journal_end(int begin) {
    sluice_journal_thread()->depth -= 1;
    return sluice_journal_thread()->faults - begin;
}
