#if THREAD_SANITIZER
    import Glibc

    /// As `Mutex`, for builds under ThreadSanitizer, which sees a pthread's locks but not those of the standard library:
    /// with them it would take everything that is guarded for a race.
    package struct Lock<Value>: ~Copyable, @unchecked Sendable {
        private final class Guarded {
            let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
            var value: Value

            init(_ value: Value) {
                self.value = value
                pthread_mutex_init(mutex, nil)
            }

            deinit {
                pthread_mutex_destroy(mutex)
                mutex.deallocate()
            }
        }

        private let guarded: Guarded

        package init(_ value: consuming sending Value) { guarded = Guarded(value) }

        /// Runs `body` while nobody else has the value.
        package borrowing func withLock<Result, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            pthread_mutex_lock(guarded.mutex)
            defer { pthread_mutex_unlock(guarded.mutex) }
            return try body(&guarded.value)
        }
    }
#else
    import Synchronization

    /// Guards a value that threads share.
    package typealias Lock<Value: ~Copyable> = Mutex<Value>
#endif
