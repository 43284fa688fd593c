// The two clocks, as plain nanoseconds: cheap enough for the lane's loop.
private import CLinux
private import Glibc

/// Readings of the system's clocks in nanoseconds.
package enum SystemClock {
    /// Since the machine started; never set back. CLOCK_MONOTONIC
    package static var monotonic: Int64 { read(CLOCK_MONOTONIC) }
    /// Since the machine started, also while it slept; never set back. CLOCK_BOOTTIME
    package static var boottime: Int64 { read(CLOCK_BOOTTIME) }
    /// Since 1970, as set on the machine. CLOCK_REALTIME
    package static var realtime: Int64 { read(CLOCK_REALTIME) }
    /// CPU time of this process, all threads. CLOCK_PROCESS_CPUTIME_ID
    package static var processCPU: Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }
    /// CPU time of the calling thread. CLOCK_THREAD_CPUTIME_ID
    package static var threadCPU: Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Facts about this process and machine.
package enum Machine {
    /// This process's id. getpid(2)
    package static var processID: Int { Int(getpid()) }

    /// What no other start of the machine has; empty where the kernel does not say. random(4)
    package static var bootID: [UInt8] {
        let bytes = try? OwnedFile.open("/proc/sys/kernel/random/boot_id", .read).read(count: 36, at: 0)
        return bytes ?? []
    }

    /// The machine's name as uname(2) tells it.
    package static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, 255) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A variable of the process's environment. getenv(3)
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Raises the limit of open files to the hard one. setrlimit(2)
    package static func raiseDescriptorLimit() {
        let which = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        var limit = rlimit()
        guard unsafe getrlimit(which, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(which, &limit)
    }

    /// How many descriptors this process may have now. getrlimit(2)
    package static var descriptorLimit: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Lets go of the code that only the start has used: most of a large program's resident memory, and never needed again.
    /// madvise(2)
    package static func forgetStart() { _ = sluice_unmap_code() }

    /// A write to a closed pipe becomes an error instead of the end of the process. signal(2)
    package static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

    /// The end of a terminal, and who takes SIGHUP for "read your configuration again", do not end the process. signal(2)
    package static func ignoreHangUps() { _ = signal(SIGHUP, SIG_IGN) }

    /// Whether a signal does nothing to this process, as SIGHUP under nohup(1). sigaction(2)
    package static func ignores(signal: Int32) -> Bool { sluice_signal_is_ignored(signal) != 0 }

    /// Sixteen bytes that nobody else has. getrandom(2)
    package static func randomIdentity() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// The offset of local time from UTC at `seconds` since 1970, in seconds. localtime_r(3)
    package static func localOffset(at seconds: Int64) -> Int {
        var time = time_t(seconds)
        var parts = unsafe tm()
        _ = unsafe localtime_r(&time, &parts)
        return unsafe parts.tm_gmtoff
    }

    /// What clocks here showed at `seconds` since 1970: seconds ahead of UTC, and the zone's short name, as `CET`. localtime_r(3)
    package static func localZone(at seconds: Int64) -> (offset: Int, name: String) {
        var time = time_t(seconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&time, &parts) != nil, let name = unsafe parts.tm_zone else { return (0, "UTC") }
        return unsafe (parts.tm_gmtoff, String(cString: name))
    }
}
