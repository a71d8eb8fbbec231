/// Constants of the entropy coder: range asymmetric numeral systems (rANS; Duda, arXiv 1311.2540) with a 32-bit state
/// that is renormalised byte by byte (specification, "Entropy coder").
package enum RangeCoder {
    /// Lower end of the state's interval [2²³, 2³¹).
    static let lowerBound: UInt32 = 1 << 23
    /// Bytes that hold the initial state at the start of a stream.
    static let stateBytes = 4
    /// Largest magnitude of a symbol of `y`: an encoder clamps to it, a decoder ends the stream beyond it.
    package static let symbolLimit = 2047
    /// Most zeros before the one in an escape's Exp-Golomb code; more are no stream that an encoder writes.
    static let escapePrefixLimit = 12
    /// The entry of one raw bit: half of the range each.
    static func rawBit(_ bit: UInt32) -> UInt32 { bit << 31 | 1 << 15 }
}
