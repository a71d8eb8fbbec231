import DeepFGS

/// A layer of integers, of any shape and with numbers from the ends of their ranges, on every instruction set that the
/// processor has: each gives what the plain loops give, and writes nowhere else.
func fuzzIntegers(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    switch input.byte() % 8 {
    case 0: try fuzzDepthwise(&input)
    case 1: try fuzzEnter(&input)
    case 2: try fuzzPasses(&input)
    default: try fuzzConvolution(&input)
    }
}

private let fastSets = InstructionSet.available.filter { $0 != .plain }

private func check(_ what: String, _ compute: (InstructionSet) -> KernelProbe.Outcome) throws {
    let expected = compute(.plain)
    try expect(expected.isContained, "\(what): the plain loops write elsewhere")
    for set in fastSets {
        let outcome = compute(set)
        try expect(outcome.isContained, "\(what): \(set) writes elsewhere")
        try expect(outcome.values.count == expected.values.count, "\(what): \(set) gives another number of results")
        if let place = outcome.values.indices.first(where: { outcome.values[$0] != expected.values[$0] }) {
            throw FuzzFinding(
                description: "\(what): \(set) gives \(outcome.values[place]) at \(place), must be "
                    + "\(expected.values[place])")
        }
        try expect(outcome.stream == expected.stream, "\(what): \(set) leaves another stream")
    }
}

private func fuzzConvolution(_ input: inout FuzzInput) throws {
    let kernel = 1 + Int(input.byte() % 3)
    let words = input.byte() % 4 == 0
    let isSigned = input.byte() % 2 == 0
    let shuffles = input.byte() % 4 == 0
    var groups: [KernelProbe.Group] = []
    for _ in 0...Int(input.byte() % 3) {
        let count = 1 + Int(input.byte() % 64)
        groups.append((count, (count + 15) / 16 * 16 + 16 * Int(input.byte() % 2)))
    }
    let inputs = groups.reduce(0) { $0 + $1.count }
    // Without a shuffle 1 to 7 vectors of outputs, and places left over in the last.
    let outputs = shuffles ? 4 * (1 + Int(input.byte() % 64)) : 1 + Int(input.byte() % 112)
    let products = inputs * outputs * kernel * kernel
    let rows = 1 + Int(input.byte() % 3)
    let columns = max(min(1 + Int(input.byte() % 15), 400_000 / (rows * products)), 1)
    let resultKind = input.byte()
    var numbers = FuzzNumbers(&input)

    let inputLimit = words ? numbers.pick([127, 511, 1023, 32767]) : isSigned ? 127 : 255
    let weightLimit = words ? numbers.pick([127, 32767]) : 127
    let row = inputs * kernel * kernel
    var (weights, bias): ([Int16], [Int32]) = ([], [])
    for _ in 0..<outputs {
        let bounded = numbers.boundedRow(row, weightLimit: weightLimit, inputLimit: inputLimit)
        weights += bounded.weights
        bias.append(bounded.bias)
    }
    let result: KernelProbe.Result
    switch resultKind % 6 {
    case 0: result = .activation(words ? 0...numbers.pick([1, 255, 1023, 32767]) : 0...255)
    case 1: result = .activation(numbers.pick([-127...127, -128...127]))
    case 2: result = .wide(-(1 << 21)...1 << 21)
    case 3: result = .sum
    case 4: result = .stream(adds: resultKind % 4 == 0, enter: [])
    default: result = .stream(adds: resultKind % 4 < 2, enter: numbers.factors(outputs, reach: 1 << 15))
    }
    let layer = KernelProbe.Layer(
        inputs: groups, outputs: outputs, kernel: kernel, shuffles: shuffles, isSigned: isSigned, weights: weights,
        bias: bias, multiplier: numbers.factors(outputs, reach: 1 << 24), result: result)
    let scale = kernel == 2 ? 4 : 1
    let activations = numbers.integers(
        scale * rows * columns * inputs, isSigned ? -inputLimit...inputLimit : 0...inputLimit)
    let stream = numbers.integers(997, -32767...32767)
    try check("\(kernel)x\(kernel), \(groups), \(outputs) outputs, \(rows) by \(columns), \(result)") { set in
        KernelProbe.convolve(
            layer, rows: rows, columns: columns, input: activations, stream: stream, on: set, words: words)
    }
}

private func fuzzDepthwise(_ input: inout FuzzInput) throws {
    let channels = 1 + Int(input.byte() % 160)
    let (rows, columns) = (1 + Int(input.byte() % 4), 1 + Int(input.byte() % 9))
    var numbers = FuzzNumbers(&input)
    var (weights, bias): ([Int16], [Int32]) = ([], [])
    for _ in 0..<channels {
        let bounded = numbers.boundedRow(9, weightLimit: 127, inputLimit: 255)
        weights += bounded.weights
        bias.append(bounded.bias)
    }
    let layer = KernelProbe.Layer(
        inputs: [(channels, (channels + 31) / 32 * 32)], outputs: channels, kernel: 3, shuffles: false, isSigned: false,
        weights: weights, bias: bias, multiplier: numbers.factors(channels, reach: 1 << 24),
        result: .activation(-127...127))
    let activations = numbers.integers(rows * columns * channels, 0...255)
    try check("depthwise, \(channels) channels, \(rows) by \(columns)") { set in
        KernelProbe.depthwise(layer, rows: rows, columns: columns, input: activations, on: set)
    }
}

private func fuzzEnter(_ input: inout FuzzInput) throws {
    let channels = 16 * (1 + Int(input.byte() % 8)), positions = 1 + Int(input.byte() % 9)
    var numbers = FuzzNumbers(&input)
    let factors = numbers.factors(channels, reach: 1 << 15)
    let stream = numbers.integers(channels * positions, -32767...32767)
    try check("enter, \(channels) channels, \(positions) positions") { set in
        KernelProbe.enter(stream, factors: factors, positions: positions, on: set)
    }
}
