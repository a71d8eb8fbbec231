import CDeepFGSLibrary
import DeepFGS

@c @implementation
public func dfgs_model_open(
    _ pathOrName: UnsafePointer<CChar>?, _ model: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let result = try required(model, "model")
        let name = pathOrName.map { String(cString: $0) } ?? ModelLibrary.defaultModel
        do throws(ModelError) { result.pointee = ModelHandle(try ModelLibrary.shared.load(name)).handle() } catch {
            throw LibraryFailure(error)
        }
    }
}

@c @implementation
public func dfgs_model_open_for(
    _ start: UnsafePointer<UInt8>?, _ size: Int, _ model: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let result = try required(model, "model")
        let identity = try header(of: bytes(start, size)).model
        do throws(ModelError) { result.pointee = ModelHandle(try ModelLibrary.shared.find(identity)).handle() } catch {
            throw LibraryFailure(error)
        }
    }
}

@c @implementation
public func dfgs_model_describe(_ model: OpaquePointer?, _ info: UnsafeMutablePointer<dfgs_model_info>?) -> dfgs_status
{
    reporting(to: nil) { () throws(LibraryFailure) in
        let model = try ModelHandle.borrow(model).model
        let info = try required(info, "info")
        withUnsafeMutableBytes(of: &info.pointee.identity) { copyText(model.identity.description, to: $0) }
        withUnsafeMutableBytes(of: &info.pointee.name) { copyText(model.configuration.name, to: $0) }
    }
}

@c @implementation
public func dfgs_model_close(_ model: OpaquePointer?) { ModelHandle.close(model) }

/// A model as C holds it.
final class ModelHandle: Handle {
    let model: Model
    init(_ model: Model) { self.model = model }
}
