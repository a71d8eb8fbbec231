/// How coarsely a frame's latents are quantised (specification, "Quantiser").
///
/// A larger step makes every chunk smaller and the picture coarser: it moves the whole range of rates that one stream
/// spans, where a cut moves within it. The model's own step is 16/16.
public struct Quantiser: Hashable, Sendable {
    /// Step and scale of one group of slices.
    public struct Step: Hashable, Sendable {
        /// Largest step: twice the model's own.
        public static let maximum: UInt8 = 32

        /// Distance between neighbouring values of a latent in sixteenths, 1 to 32.
        public let step: UInt8
        /// What is added to the scale index, so that the tables fit the coarser or finer symbols, −64 to 64.
        public let scaleShift: Int8

        /// A step; nil where a number is out of its range.
        public init?(step: UInt8, scaleShift: Int8) {
            guard (1...Self.maximum).contains(step), (-64...64).contains(scaleShift) else { return nil }
            self.step = step
            self.scaleShift = scaleShift
        }

        private init() {
            step = 16
            scaleShift = 0
        }

        /// The model's own step, 16/16.
        static let unit = Step()
    }

    /// For the slices of `y_b`.
    public let basic: Step
    /// For the slices of `y_s`.
    public let scalable: Step

    public init(basic: Step, scalable: Step) {
        self.basic = basic
        self.scalable = scalable
    }

    /// The model's own quantiser, which a header need not mention.
    public static let unit = Quantiser(basic: .unit, scalable: .unit)
}
