import CDeepFGS
import DeepFGSTransport

/// Reads a table's values for C.
///
/// - Returns: How many fields there are; so many of them as there is room for are filled in.
func fill<Source>(
    _ out: UnsafeMutableBufferPointer<DeepFGSStatistic>, with fields: [StatisticField<Source>], of source: Source
) -> Int {
    for (index, field) in fields.prefix(out.count).enumerated() {
        var statistic = DeepFGSStatistic()
        statistic.name = constant(field.name)
        switch field.value(source) {
        case .uint64(let value):
            statistic.type = DEEPFGS_VALUE_UINT64
            statistic.uint64 = value
        case .int64(let value):
            statistic.type = DEEPFGS_VALUE_INT64
            statistic.int64 = value
        case .double(let value):
            statistic.type = DEEPFGS_VALUE_DOUBLE
            statistic.real = value
        case .string(let value):
            statistic.type = DEEPFGS_VALUE_STRING
            statistic.text = constant(value)
        }
        out[index] = statistic
    }
    return fields.count
}

/// For C, which keeps the pointer: literals live as long as the program.
func constant(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
