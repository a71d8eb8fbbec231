import Glibc

extension Quantiser {
    /// The quantiser of two steps, with the scale shifts that fit the model's tables.
    ///
    /// A step k times as large makes the symbols' standard deviations k times as small: so many places down in
    /// the model's geometric row of scales, rounded.
    ///
    /// - Parameters:
    ///   - basicStep: For `y_b`, in sixteenths, 1 to 32.
    ///   - scalableStep: For `y_s`, likewise.
    ///   - configuration: The model's.
    public init?(basicStep: Int, scalableStep: Int, configuration: ModelConfiguration) {
        let ratio = log(configuration.scaleMaximum / configuration.scaleMinimum)
        func step(_ step: Int) -> Step? {
            guard (1...Int(Step.maximum)).contains(step) else { return nil }
            let places = log(16 / Double(step)) / ratio * Double(configuration.scaleLevels - 1)
            return Int8(exactly: places.rounded()).flatMap { Step(step: UInt8(step), scaleShift: $0) }
        }
        guard let basic = step(basicStep), let scalable = step(scalableStep) else { return nil }
        self.init(basic: basic, scalable: scalable)
    }
}
