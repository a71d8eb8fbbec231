import DeepFGS

/// The model that made a stream, shared with the elements of this process; for who decodes beside them.
///
/// - Parameter identity: What the stream carries.
/// - Returns: The model, or why there is none, in words.
package func sharedModel(_ identity: ModelIdentity) -> (model: Model?, problem: String) {
    do throws(Failure) { return (try ModelLibrary.find(identity, first: ""), "") } catch { return (nil, error.message) }
}
