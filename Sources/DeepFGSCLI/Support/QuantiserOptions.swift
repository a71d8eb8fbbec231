import ArgumentParser
import DeepFGS

/// How coarsely the encoder quantises.
struct QuantiserOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Quantiser step of the scalable part in sixteenths, 1 to 32.",
            discussion: """
                Finer than 16, whole frames become larger and better; coarser, smaller. It moves the range of rates \
                that one stream spans, where a cut moves within it.
                """, valueName: "step"))
    var step = 16

    @Option(help: ArgumentHelp("Quantiser step of the base, likewise.", valueName: "step"))
    var baseStep = 16

    func validate() throws {
        let range = 1...Int(Quantiser.Step.maximum)
        guard range.contains(step), range.contains(baseStep) else {
            throw ValidationError("steps go from 1 to \(range.upperBound)")
        }
    }

    /// The quantiser for a model.
    func quantiser(for model: Model) -> Quantiser {
        Quantiser(basicStep: baseStep, scalableStep: step, configuration: model.configuration) ?? .unit
    }
}
