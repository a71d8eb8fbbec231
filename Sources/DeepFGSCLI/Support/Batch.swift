import ArgumentParser
import DeepFGSTools

/// Runs a command over many files: one that fails is reported and does not stop the others.
final class Batch {
    let console = Console()
    private var firstFailure: Failure?
    private(set) var failures = 0

    init(quiet: Bool = false) { console.isQuiet = quiet }

    /// Does one thing; a failure is reported and remembered.
    ///
    /// - Returns: Whether it went well.
    @discardableResult
    func attempt(_ body: () throws(Failure) -> Void) -> Bool {
        do throws(Failure) {
            try body()
            return true
        } catch {
            report(error)
            return false
        }
    }

    /// Says what went wrong and remembers that something did.
    func report(_ failure: Failure) {
        console.error(failure)
        firstFailure = firstFailure ?? failure
        failures += 1
    }

    /// Does the same for each item, with a progress bar.
    func each<Item>(
        _ items: [Item], label: String, name: (Item) -> String, _ body: (Item) throws(Failure) -> Void
    ) {
        console.begin(label, total: items.count)
        for item in items {
            console.show(name(item))
            attempt { () throws(Failure) in try body(item) }
            console.advance()
        }
        console.end()
    }

    /// Ends the command: with the status of the first failure if there was one.
    ///
    /// - Throws: `ExitCode`.
    func finish() throws {
        console.end()
        if let firstFailure { throw ExitCode(firstFailure.status.rawValue) }
    }
}
