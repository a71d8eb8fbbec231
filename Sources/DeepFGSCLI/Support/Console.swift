import DeepFGSTools
import Glibc
import Synchronization

/// What the tool says on the standard error: errors, warnings and, on a terminal, a progress bar that stays below them.
///
/// May be used by several threads.
final class Console: Sendable {
    /// Whether warnings and the progress bar are left out.
    let isQuiet: Bool
    private let bar = Mutex<Progress?>(nil)
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// How far a command has come with its files.
    private struct Progress {
        let label: String
        var total: Int
        var done = 0
        var current = ""
        let start = ContinuousClock.now
    }

    init(isQuiet: Bool = false) { self.isQuiet = isQuiet }

    func error(_ failure: Failure) { line("deepfgs: error: \(failure)") }

    func warning(_ problem: Failure) {
        if !isQuiet { line("deepfgs: warning: \(problem)") }
    }

    func warning(_ file: String, _ text: String) { warning(Failure(.badInput, file, text)) }

    /// Shows a bar over `total` steps, if somebody looks.
    func begin(_ label: String, total: Int) {
        guard isTerminal, !isQuiet else { return }
        change { $0 = Progress(label: label, total: total) }
    }

    /// Names what is being worked on.
    func show(_ current: String) {
        change { $0?.current = current }
    }

    /// There are more steps than was thought.
    func extend(by steps: Int) {
        change { $0?.total += steps }
    }

    /// One step is done.
    func advance() {
        change { $0?.done += 1 }
    }

    /// Takes the bar away.
    func end() {
        bar.withLock {
            erase($0)
            $0 = nil
        }
    }

    private func line(_ text: String) {
        bar.withLock {
            erase($0)
            write(text + "\n")
            draw($0)
        }
    }

    private func change(_ body: (inout Progress?) -> Void) {
        bar.withLock {
            body(&$0)
            draw($0)
        }
    }

    private func draw(_ bar: Progress?) {
        guard let bar, bar.total > 1 else { return }
        var size = winsize()
        let known = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let columns = known ? Int(size.ws_col) : 80
        let width = 20
        let filled = bar.done * width / max(bar.total, 1)
        var text = "\(bar.label) [" + String(repeating: "#", count: filled)
        text += String(repeating: ".", count: width - filled) + "] \(bar.done)/\(bar.total)"
        if bar.done > 0, bar.done < bar.total {
            let seconds = (ContinuousClock.now - bar.start).seconds
            text += ", \(clock(seconds * Double(bar.total - bar.done) / Double(bar.done))) left"
        }
        text += "  \(bar.current)"
        write("\r\u{1B}[K" + String(text.prefix(columns - 1)))
    }

    private func erase(_ bar: Progress?) {
        if bar != nil { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        var rest = bytes(ofPath: text)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
