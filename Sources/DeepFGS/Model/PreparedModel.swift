/// What is made of the weights of a model, or of one layer, in the forms that networks work with: each form when it is
/// first asked for, then shared by all encoders and decoders of the model.
///
/// The networks say which forms there are; a model only keeps them.
final class PreparedModel: Sendable {
    private struct Key: Hashable {
        let form: ObjectIdentifier
        let variant: String
    }

    private let forms = Lock<[Key: any Sendable]>([:])

    /// The form of this type.
    ///
    /// - Parameters:
    ///   - variant: Which of the forms of the type, as there is one for each instruction set.
    ///   - make: Makes it; others who ask meanwhile wait.
    /// - Returns: The same for every call with a variant.
    func form<Form: Sendable>(_ variant: String, make: () -> Form) -> Form {
        forms.withLock { forms in
            let key = Key(form: ObjectIdentifier(Form.self), variant: variant)
            if let form = forms[key] as? Form { return form }
            let form = make()
            forms[key] = form
            return form
        }
    }
}
