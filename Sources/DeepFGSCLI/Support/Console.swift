import DeepFGSTools
import Glibc

/// What the tool says on the standard error: errors, warnings and, on a terminal, a progress bar that stays below them.
final class Console {
    /// Whether warnings and the progress bar are left out.
    var isQuiet = false
    private var bar: Progress?
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// How far a command has come with its files.
    private struct Progress {
        let label: String
        var total: Int
        var done = 0
        var current = ""
        let start = ContinuousClock.now
    }

    func error(_ failure: Failure) { line("deepfgs: error: \(failure)") }

    func warning(_ problem: Failure) {
        if !isQuiet { line("deepfgs: warning: \(problem)") }
    }

    func warning(_ file: String, _ text: String) { warning(Failure(.badInput, file, text)) }

    /// Shows a bar over `total` steps, if somebody looks.
    func begin(_ label: String, total: Int) {
        guard isTerminal, !isQuiet else { return }
        bar = Progress(label: label, total: total)
        draw()
    }

    /// Names what is being worked on.
    func show(_ current: String) {
        bar?.current = current
        draw()
    }

    /// There are more steps than was thought.
    func extend(by steps: Int) {
        bar?.total += steps
        draw()
    }

    /// One step is done.
    func advance() {
        bar?.done += 1
        draw()
    }

    /// Takes the bar away.
    func end() {
        erase()
        bar = nil
    }

    private func line(_ text: String) {
        erase()
        write(text + "\n")
        draw()
    }

    private func draw() {
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

    private func erase() {
        if bar != nil { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
