/// `rint` for magnitudes below 2^22, which the processor does without a call at any level of its instruction set.
@inline(__always)
func roundedToEven(_ value: Float) -> Float { (value + 0x1.8p23) - 0x1.8p23 }

/// A bfloat16's bits: rounded to nearest even.
@inline(__always)
func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits &>> 16 & 1)) &>> 16)
}
