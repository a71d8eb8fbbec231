/// Numbers that a few bytes of an input decide: many of them at the ends of their ranges, or where rounding turns.
struct FuzzNumbers {
    /// The ends of what floats can say, halves, and neighbours of a power of two.
    private static let ends: [Float] = [
        Float.greatestFiniteMagnitude, -Float.greatestFiniteMagnitude, Float.leastNormalMagnitude,
        Float.leastNonzeroMagnitude, -Float.leastNonzeroMagnitude, 0, -0.0, 0.5, 0x1p-24, 0x1.fffffep-25, 127.5, 0x1p31,
        0x1p100, -0x1p100,
    ]
    private var state: UInt64
    /// How integers lie in their range, and what factors are.
    private let integerStyle: UInt8, weightStyle: UInt8, biasStyle: UInt8, factorStyle: UInt8

    init(_ input: inout FuzzInput) {
        integerStyle = input.byte()
        weightStyle = input.byte()
        biasStyle = input.byte()
        factorStyle = input.byte()
        state = input.uint64()
    }

    /// The next of a sequence of 64-bit numbers (SplitMix64).
    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[Int(bits() % UInt64(choices.count))] }

    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(bits() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    /// An integer of a range: anywhere, at its ends, near them, or close to zero.
    private mutating func integer(_ range: ClosedRange<Int>, style: UInt8) -> Int {
        switch style % 6 {
        case 0: integer(range)
        case 1: pick([range.lowerBound, range.upperBound])
        case 2: range.upperBound
        case 3: range.lowerBound
        case 4:
            pick(
                [range.lowerBound, range.upperBound, integer(range), 0].map {
                    min(max($0, range.lowerBound), range.upperBound)
                })
        default: integer(max(range.lowerBound, -2)...min(range.upperBound, 2))
        }
    }

    mutating func integers(_ count: Int, _ range: ClosedRange<Int>) -> [Int16] {
        (0..<count).map { _ in Int16(integer(range, style: integerStyle)) }
    }

    /// One output's weights, and a bias with which its sums stay below 2^24 in magnitude, often just below.
    mutating func boundedRow(
        _ count: Int, weightLimit: Int, inputLimit: Int
    ) -> (weights: [Int16], bias: Int32) {
        var left = (1 << 24) - 1
        let weights = (0..<count).map { _ in
            let weight = integer(-weightLimit...weightLimit, style: weightStyle)
            let cost = abs(weight) * inputLimit
            guard cost <= left else { return Int16(0) }
            left -= cost
            return Int16(weight)
        }
        let bias = biasStyle % 6 == 5 ? integer(-1000...1000) : integer(-left...left, style: biasStyle)
        return (weights, Int32(min(max(bias, -left), left)))
    }

    /// Factors for numbers up to `reach`: any finite float; powers of two, whose products are often halves; what brings
    /// the numbers into the ranges of results; and the ends of what floats can say.
    mutating func factors(_ count: Int, reach: Int) -> [Float] {
        (0..<count).map { _ in
            switch factorStyle % 6 == 5 ? UInt8(bits() % 5) : factorStyle % 6 {
            case 0:
                let any = Float(bitPattern: UInt32(truncatingIfNeeded: bits()))
                return any.isFinite ? any : 0.5
            case 1: return pick([1, -1]) * Float(sign: .plus, exponent: -integer(0...24), significand: 1)
            case 2: return Float(integer(-4000...4000)) / Float(reach)
            case 3: return Float(integer(1...3)) * Float(sign: .plus, exponent: -integer(1...20), significand: 1)
            default: return pick(Self.ends + [255.5 / Float(reach)])
            }
        }
    }
}
