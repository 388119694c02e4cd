/// What is wrong with an attention problem: a code to branch on and a line to read.
public struct AttentionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kinds of error.
  public enum Code: Int, Sendable, CaseIterable {
    /// An array that the call needs is missing.
    case missing = 1
    /// The problem was not initialised.
    case uninitialized = 2
    /// A size is negative, or zero where at least one is needed.
    case negativeSize = 3
    /// A size or stride is too large.
    case overflow = 4
    /// The query heads are not a multiple of the key/value heads.
    case headGroups = 5
    /// An element type is not supported where it stands.
    case type = 6
    /// Scale or softcap is not finite.
    case notFinite = 7
    /// Softcap is negative.
    case softcap = 8
    /// The dropout probability is outside [0, 1).
    case dropout = 9
    /// Causal attention over different lengths without an alignment.
    case alignment = 10
    /// A side of the window is negative.
    case window = 11
    /// A key length is outside the keys.
    case keyLength = 12
    /// Packed sequence starts are inconsistent.
    case packing = 13
    /// A page table is inconsistent.
    case pages = 14
    /// The output overlaps an input or itself.
    case overlap = 15
    /// The instruction set is unknown or this machine lacks it.
    case instructionSet = 16
    /// The number of threads is negative.
    case threads = 17
    /// Scratch memory could not be had.
    case outOfMemory = 18
    /// Rows, heads or a number of weights that do not fit the shape.
    case selection = 19
    /// An array does not have the shape that the problem needs.
    case shape = 100
  }

  /// The kind of error.
  public let code: Code
  /// One line with names, the expected and the actual numbers.
  public let message: String

  /// An error with its line.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
