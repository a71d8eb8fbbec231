import DeepFGS
import Glibc

/// Runs a target: built with `-DFUZZER` (see `make fuzz`) under libFuzzer, otherwise on files that it is given.
///
///     DeepFGSFuzz TARGET FILE…           replays inputs
///     DeepFGSFuzz TARGET CORPUS -runs=N  fuzzes; the options are libFuzzer's
@main
struct Main {
    static func main() throws {
        #if FUZZER
            try fuzz()
        #else
            let arguments = CommandLine.arguments
            guard arguments.count > 2, let target = FuzzTarget(rawValue: arguments[1]) else { usage() }
            for path in arguments.dropFirst(2) {
                print(path)
                try contents(ofFile: path).withUnsafeBytes { try target.run($0) }
            }
        #endif
    }
}

private func usage() -> Never {
    print("usage: DeepFGSFuzz TARGET FILE...; targets: \(FuzzTarget.allCases.map(\.rawValue))")
    exit(64)
}

#if FUZZER
    nonisolated(unsafe) private var chosen = FuzzTarget.frame

    /// Hands over to libFuzzer with the program's name and what stands behind the target's.
    ///
    /// libFuzzer starts this program again for some of its work (merging, minimising), without the target: the
    /// environment remembers it.
    private func fuzz() throws {
        let variable = "DEEPFGS_FUZZ_TARGET"
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        let remembered = getenv(variable).map { String(cString: $0) }
        guard let name = remembered ?? CommandLine.arguments.dropFirst().first, let target = FuzzTarget(rawValue: name)
        else { usage() }
        if remembered == nil {
            setenv(variable, name, 1)
            CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
            arguments = CommandLine.unsafeArgv + 1
            count -= 1
        }
        chosen = target
        // Loading the models must not count as an input's time.
        _ = (try FuzzModels.real.get(), try FuzzModels.tiny.get())
        exit(runLibFuzzer(&count, &arguments, fuzzOneInput))
    }

    /// libFuzzer's loop, for a program with its own `main`.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runLibFuzzer(
        _ count: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
        do { try chosen.run(UnsafeRawBufferPointer(start: data, count: size)) } catch { fatalError("\(error)") }
        return 0
    }
#endif
