import CKernels
import DeepFGS

/// The passes between convolutions, coder and pixels, on numbers at the ends of their ranges, against their definitions.
func fuzzPasses(_ input: inout FuzzInput) throws {
    let channels = 1 + Int(input.byte() % 80), count = 1 + Int(input.byte() % 40)
    let isHalf = input.byte() % 2 == 0
    let columns = DeepFGSColumns(first: isHalf ? Int32(input.byte() % 2) : 0, step: isHalf ? 2 : 1)
    let which = input.byte() % 4
    var numbers = FuzzNumbers(&input)
    let size = PassSize(channels: channels, count: count, columns: columns)
    switch which {
    case 0: try checkEntering(size, &numbers)
    case 1: try checkLatents(size, &numbers)
    case 2: try checkMeans(size, &numbers)
    default: try checkQuantiser(size, &numbers)
    }
}

/// Channels and positions of a row, and those of its columns that a pass is about.
private struct PassSize {
    let channels: Int, count: Int
    let columns: DeepFGSColumns
    var numbers: Int { channels * count }

    func includes(_ position: Int) -> Bool { (position - Int(columns.first)) % Int(columns.step) == 0 }
}

private func clamp<Number: Comparable>(_ value: Number, _ range: ClosedRange<Number>) -> Number {
    min(max(value, range.lowerBound), range.upperBound)
}

/// Latents that become activations of the transforms and of the context networks.
private func checkEntering(_ size: PassSize, _ numbers: inout FuzzNumbers) throws {
    // The largest latent of any model: 32 * 2047 + 32767.
    let latents = numbers.integers(size.numbers, -32767...32767).map { Int32($0) * 3 - Int32($0 & 1) }
    let factors = numbers.factors(size.channels, reach: 1 << 11)
    let (shift, limit) = (numbers.integer(0...8), numbers.integer(1...127))
    var bytes = [UInt8](repeating: 0, count: size.numbers), words = [Int16](repeating: 0, count: size.numbers)
    deepfgs_enter_latents(
        latents, factors, Int32(size.channels), Int32(size.count), 128, 1, &bytes, size.channels)
    deepfgs_enter_latents(
        latents, factors, Int32(size.channels), Int32(size.count), 0, 2, &words, 2 * size.channels)
    for (index, latent) in latents.enumerated() {
        let product = clamp(Float(latent) * factors[index % size.channels], -127...127)
        let expected = Int(product.rounded(.toNearestOrEven))
        try expect(
            Int(bytes[index]) - 128 == expected && Int(words[index]) == expected,
            "\(latent) · \(factors[index % size.channels]) enters as \(bytes[index]) - 128 and \(words[index])")
    }
    deepfgs_context_inputs(
        latents, Int32(size.channels), Int32(size.count), Int32(shift), Int32(limit), 128, 1, &bytes, size.channels)
    deepfgs_context_inputs(
        latents, Int32(size.channels), Int32(size.count), Int32(shift), Int32(limit), 0, 2, &words, 2 * size.channels)
    for (index, latent) in latents.enumerated() {
        let expected = clamp((Int(latent) + (1 << shift) / 2) >> shift, -limit...limit)
        try expect(
            Int(bytes[index]) - 128 == expected && Int(words[index]) == expected,
            "\(latent) >> \(shift) is the context input \(bytes[index]) - 128 and \(words[index])")
    }
}

/// Latents of symbols and means, and their halves.
private func checkLatents(_ size: PassSize, _ numbers: inout FuzzNumbers) throws {
    let symbols = numbers.integers(size.numbers, -2500...2500), means = numbers.integers(size.numbers, -32767...32767)
    let step = numbers.integer(1...32)
    var latents = [Int32](repeating: 9, count: size.numbers)
    deepfgs_latents(
        symbols, size.count, means, Int32(size.channels), Int32(size.count), size.columns, Int32(step), 2047, &latents)
    var high = [Int16](repeating: 0, count: size.numbers), low = high
    deepfgs_halves(latents, Int32(size.channels), Int32(size.count), &high, &low, size.channels)
    for position in 0..<size.count {
        for channel in 0..<size.channels {
            let index = position * size.channels + channel
            let symbol = clamp(Int(symbols[channel * size.count + position]), -2047...2047)
            let expected = size.includes(position) ? step * symbol + Int(means[index]) : 0
            try expect(Int(latents[index]) == expected, "\(step) · \(symbol) + \(means[index]) is \(latents[index])")
            try expect(256 * Int(high[index]) + Int(low[index]) == expected, "halves of \(expected)")
        }
    }
}

/// Means and scale indices.
private func checkMeans(_ size: PassSize, _ numbers: inout FuzzNumbers) throws {
    let parameters = (0..<2 * size.numbers).map { _ in Int32(numbers.integer(-(1 << 21)...1 << 21)) }
    // Sums over the two halves of the latents: 256 high + low is below 2^31.
    let high = (0..<size.numbers).map { _ in Int32(numbers.integer(-(1 << 22)...1 << 22)) }
    let low = (0..<size.numbers).map { _ in Int32(numbers.integer(-(1 << 29)...1 << 29)) }
    let isFirst = numbers.integer(0...1) == 0
    let (limit, levels, shift) = (numbers.integer(0...32767), numbers.integer(2...256), numbers.integer(-64...64))
    var means = [Int16](repeating: 7, count: size.numbers), scales = [UInt8](repeating: 7, count: size.numbers)
    high.withUnsafeBufferPointer { high in
        deepfgs_means(
            parameters, 2 * size.channels, isFirst ? nil : high.baseAddress, low, size.channels, Int32(size.channels),
            Int32(size.count), size.columns, Int32(limit), Int32(levels - 1), Int32(shift), &means, &scales, size.count)
    }
    for position in 0..<size.count {
        for channel in 0..<size.channels {
            let index = position * size.channels + channel, plane = channel * size.count + position
            let parameter = Int(parameters[2 * position * size.channels + channel])
            let linear = isFirst ? 0 : (256 * Int(high[index]) + Int(low[index]) + 128) >> 8
            let mean = clamp(parameter + linear, -limit...limit)
            let scale = Int(parameters[(2 * position + 1) * size.channels + channel])
            let level = clamp(clamp(scale, 0...levels - 1) + shift, 0...levels - 1)
            let isIn = size.includes(position)
            try expect(Int(means[index]) == (isIn ? mean : 7), "mean \(means[index]), must be \(mean)")
            try expect(Int(scales[plane]) == (isIn ? level : 7), "scale index \(scales[plane]), must be \(level)")
        }
    }
}

/// Symbols of latents in 256ths, in integers where nothing is added to the half.
private func checkQuantiser(_ size: PassSize, _ numbers: inout FuzzNumbers) throws {
    let values = numbers.integers(size.numbers, -32767...32767)
    // Means so near that symbols are small, where ties are many, or anywhere.
    let isNear = numbers.integer(0...1) == 0
    let means = values.map {
        isNear ? $0 / 16 + Int16(numbers.integer(-40...40)) : Int16(numbers.integer(-32767...32767))
    }
    let step = numbers.integer(1...32)
    let rounding: Float = numbers.integer(0...1) == 0 ? 0 : Float(numbers.integer(-50...50)) / 100
    var symbols = [Int16](repeating: 7, count: size.numbers)
    deepfgs_quantise(
        values, size.channels, means, Int32(size.channels), Int32(size.count), size.columns, Int32(step), rounding,
        2047,
        &symbols, size.count)
    for position in 0..<size.count {
        for channel in 0..<size.channels {
            let index = position * size.channels + channel
            let distance = Int(values[index]) - 16 * Int(means[index])
            let divisor = Float(16 * step), half = Float(8 * step) + rounding * divisor
            let magnitude =
                rounding == 0
                ? (abs(distance) + 8 * step) / (16 * step) : Int((Float(abs(distance)) + half) / divisor)
            let expected = size.includes(position) ? min(magnitude, 2047) * distance.signum() : 7
            let symbol = symbols[channel * size.count + position]
            try expect(Int(symbol) == expected, "\(distance) / 16 / \(step) is \(symbol), must be \(expected)")
        }
    }
}
