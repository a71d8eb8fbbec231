import CKernels

/// The kernels in plain loops: what the fast ones are compared with, and what runs where there are none.
///
/// Activations are 16 bits, weights and factors stay in their order.
nonisolated(unsafe) let plainKernels = DeepFGSKernels(
    name: nil, activation_size: 2, pack: plainPack, arrange: plainArrange, convolve: plainConvolve,
    pack_depthwise: plainPackDepthwise, arrange_depthwise: plainArrange, depthwise: plainDepthwise, enter: plainEnter)

private func plainPack(
    _ weights: UnsafePointer<Int16>?, _ outputs: Int32, _ inputs: Int32, _ packed: UnsafeMutableRawPointer?
) {
    guard let weights, let packed else { return }
    packed.copyMemory(from: weights, byteCount: 2 * Int(outputs) * Int(inputs))
}

private func plainPackDepthwise(
    _ weights: UnsafePointer<Int16>?, _ channels: Int32, _ packed: UnsafeMutableRawPointer?
) {
    guard let weights, let packed else { return }
    packed.copyMemory(from: weights, byteCount: 2 * 9 * Int(channels))
}

private func plainArrange(
    _ numbers: UnsafePointer<UInt32>?, _ count: Int32, _ arranged: UnsafeMutablePointer<UInt32>?
) {
    guard let numbers, let arranged else { return }
    arranged.update(from: numbers, count: Int(count))
}

/// `clamp(rint(value · factor), low, high)`.
@inline(__always)
private func rescaled(_ value: Int32, _ factor: Float, _ low: Float, _ high: Float) -> Int32 {
    // The limits are integers: clamping first gives the same.
    let product = Float(value) * factor
    let clamped = product > low ? (product < high ? product : high) : low
    return Int32(truncatingIfNeeded: Int(roundedToEven(clamped)))
}

private func plainConvolve(_ convolution: UnsafePointer<DeepFGSConvolution>) {
    let c = convolution.pointee
    guard let input = c.input, let bias = c.bias,
        let weights = c.weights?.assumingMemoryBound(to: Int16.self)
    else { return }
    let inputs = Int(c.runs) * Int(c.run_length)
    let channels = c.shuffles ? c.outputs / 4 : c.outputs
    for row in 0..<Int(c.rows) {
        for column in 0..<Int(c.columns) {
            let from = input + row * c.input_row + column * c.input_position
            for output in 0..<Int(c.outputs) {
                var sum = bias[output]
                for run in 0..<Int(c.runs) {
                    let values = (from + run * c.run_stride).assumingMemoryBound(to: Int16.self)
                    let kernel = weights + (output * inputs + run * Int(c.run_length))
                    var k = 0
                    while k < Int(c.run_length) {
                        sum &+= Int32(values[k]) &* Int32(kernel[k])
                        k &+= 1
                    }
                }
                let place = output / Int(channels)
                finish(
                    c, sum, output: output, channel: output - place * Int(channels),
                    row: c.shuffles ? 2 * row + place / 2 : row,
                    column: c.shuffles ? 2 * column + place % 2 : column)
            }
        }
    }
}

private func finish(
    _ c: DeepFGSConvolution, _ sum: Int32, output: Int, channel: Int, row: Int, column: Int
) {
    let target = c.output.map { $0 + row * c.output_row + column * c.output_position }
    switch c.kind {
    case DEEPFGS_RESULT_SUM: target?.storeBytes(of: sum, toByteOffset: 4 * channel, as: Int32.self)
    case DEEPFGS_RESULT_WIDE:
        target?.storeBytes(
            of: rescaled(sum, c.multiplier[output], c.low, c.high), toByteOffset: 4 * channel, as: Int32.self)
    case DEEPFGS_RESULT_ACTIVATION:
        target?.storeBytes(
            of: Int16(truncatingIfNeeded: rescaled(sum, c.multiplier[output], c.low, c.high) + c.offset),
            toByteOffset: 2 * channel, as: Int16.self)
    default:
        guard let base = c.stream else { return }
        let stream = UnsafeMutableRawPointer(base) + (row * c.stream_row + column * c.stream_position + 2 * channel)
        var value = rescaled(sum, c.multiplier[output], -32767, 32767)
        if c.adds { value = min(max(value + Int32(stream.load(as: Int16.self)), -32767), 32767) }
        stream.storeBytes(of: Int16(truncatingIfNeeded: value), as: Int16.self)
        if let enter = c.enter {
            target?.storeBytes(
                of: Int16(truncatingIfNeeded: rescaled(value, enter[channel], -127, 127) + c.offset),
                toByteOffset: 2 * channel, as: Int16.self)
        }
    }
}

private func plainDepthwise(_ depthwise: UnsafePointer<DeepFGSDepthwise>) {
    let d = depthwise.pointee
    guard let input = d.input, let output = d.output, let bias = d.bias,
        let multiplier = d.multiplier, let weights = d.weights?.assumingMemoryBound(to: Int16.self)
    else { return }
    for row in 0..<Int(d.rows) {
        for column in 0..<Int(d.columns) {
            let from = input + row * d.input_row + column * d.input_position
            let to = output + row * d.output_row + column * d.output_position
            for channel in 0..<Int(d.channels) {
                var sum = bias[channel]
                for tap in 0..<9 {
                    let place = tap / 3 * d.input_row + tap % 3 * d.input_position + 2 * channel
                    sum &+= Int32((from + place).load(as: Int16.self)) &* Int32(weights[9 * channel + tap])
                }
                let value = rescaled(sum, multiplier[channel], -127, 127) + d.offset
                to.storeBytes(of: Int16(truncatingIfNeeded: value), toByteOffset: 2 * channel, as: Int16.self)
            }
        }
    }
}

private func plainEnter(
    _ stream: UnsafePointer<Int16>, _ streamPosition: Int, _ enter: UnsafePointer<Float>, _ channels: Int32,
    _ count: Int32, _ offset: Int32, _ output: UnsafeMutableRawPointer, _ outputPosition: Int
) {
    for position in 0..<Int(count) {
        let from = UnsafeRawPointer(stream) + position * streamPosition
        for channel in 0..<Int(channels) {
            let value = rescaled(
                Int32(from.load(fromByteOffset: 2 * channel, as: Int16.self)), enter[channel], -127, 127)
            output.storeBytes(
                of: Int16(truncatingIfNeeded: value + offset),
                toByteOffset: position * outputPosition + 2 * channel, as: Int16.self)
        }
    }
}
