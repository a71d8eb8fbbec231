import CKernels

/// The integer kernels of one instruction set and one width of activations.
///
/// Activations of one byte are unsigned, signed ones raised by 128; those of two bytes are signed.
struct Kernels: @unchecked Sendable {
    /// The instruction set they belong to.
    let instructions: InstructionSet
    /// Bytes of an activation: 1 or 2.
    let activationSize: Int
    /// The functions: constants of the program.
    let table: DeepFGSKernels

    private init(_ instructions: InstructionSet, activationSize: Int) {
        self.instructions = instructions
        self.activationSize = activationSize
        table = instructions.table(activationSize)?.pointee ?? plainKernels
    }

    /// The narrowest activations that hold 8-bit numbers on an instruction set.
    static func bytes(_ instructions: InstructionSet) -> Kernels {
        let set = instructions.resolved
        return Kernels(set, activationSize: set.table(1) == nil ? 2 : 1)
    }

    /// Activations of 16 bits on an instruction set.
    static func words(_ instructions: InstructionSet) -> Kernels {
        Kernels(instructions.resolved, activationSize: 2)
    }

    /// What a signed activation is raised by in memory.
    var offset: Int { activationSize == 1 ? 128 : 0 }
}

/// Convolution outputs are computed 16 at a time, streams 32 at a time.
@inline(__always)
func roundUp(_ count: Int, to multiple: Int) -> Int { (count + multiple - 1) / multiple * multiple }
