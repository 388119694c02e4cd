/// Why a safetensors file could not be read or written.
///
/// `description` is one line: the file, the tensor, what was expected and what came. Names from a file are shown with
/// control characters escaped and cut to a readable length, so that a hostile file cannot forge output.
public struct SafetensorsError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong. Offsets and lengths are in bytes.
  public enum Reason: Sendable, Equatable {
    /// The system call `operation` failed with `code` (an `errno` value).
    case system(operation: String, code: Int32)
    /// The path contains a NUL character, at which the system would cut it.
    case pathContainsNUL
    /// The path names something that cannot be used as a file; `kind` says what, for instance `a directory`.
    case notAFile(kind: String)

    /// The file ends within the 8 bytes of the header length; an empty file has `byteCount` 0.
    case missingHeaderLength(byteCount: Int)
    /// The header length exceeds 100 000 000 bytes, the limit of the format.
    case headerTooLong(length: UInt64)
    /// The header length exceeds the `available` bytes that follow it.
    case headerTruncated(length: UInt64, available: Int)
    /// The header does not begin with `{`; `found` describes what is there.
    case headerStart(found: String)
    /// The string that begins at `offset` of the header is not UTF-8.
    case invalidUTF8(offset: Int)
    /// The header is not JSON of the required form at `offset`.
    case unexpectedJSON(offset: Int, expected: String, found: String)
    /// The JSON of the header is nested deeper than `limit`.
    case nestedTooDeeply(limit: Int)
    /// A key occurs twice in the object that `within` describes.
    case duplicateKey(String, within: String)
    /// A tensor's entry lacks `dtype`, `shape` or `data_offsets`.
    case missingField(String)
    /// `data_offsets` has more or fewer than two numbers; counting stops at 3.
    case offsetCount(Int)
    /// `dtype` is none of `SafetensorsType`.
    case unknownType(String)

    /// The shape has more axes than `limit`.
    case tooManyAxes(limit: Int)
    /// The shape has a negative extent.
    case negativeExtent(shape: [Int])
    /// The byte count of the shape, zero extents left out, exceeds `Int.max`.
    case shapeOverflow(type: SafetensorsType, shape: [Int])
    /// The tensor's data ends before it begins.
    case reversedOffsets(begin: Int, end: Int)
    /// The tensor's data ends behind the `available` bytes of the data section.
    case offsetsOutOfRange(begin: Int, end: Int, available: Int)
    /// The number of bytes is not product(shape) · element size.
    case byteCountMismatch(type: SafetensorsType, shape: [Int], expected: Int, found: Int)
    /// The tensor begins within the data of the tensor `other`.
    case overlap(other: String, begin: Int, otherEnd: Int)
    /// No tensor covers the bytes from `begin` to `end` of the data section.
    case hole(begin: Int, end: Int)

    /// The file has no tensor of this name.
    case noSuchTensor
    /// Integers were asked of a floating-point tensor.
    case notIntegers(type: SafetensorsType)
    /// The element at `index`, in row-major order, does not fit into `Int`.
    case integerTooLarge(value: UInt64, index: Int)

    /// A tensor of this name was added before.
    case nameInUse
    /// The name `__metadata__` is reserved by the format.
    case reservedName
  }

  /// The file, as its path was given; nil where no file is involved yet.
  public let path: String?
  /// The tensor, by name; nil where the whole file is at fault.
  public let tensor: String?
  /// What went wrong.
  public let reason: Reason

  /// An error about a file, a tensor, both or neither.
  public init(_ reason: Reason, path: String? = nil, tensor: String? = nil) {
    self.reason = reason
    self.path = path
    self.tensor = tensor
  }

  /// This error with the file added.
  func inFile(_ path: String) -> Self {
    Self(reason, path: path, tensor: tensor)
  }

  /// This error with the tensor added, unless it names one already.
  func ofTensor(_ name: String) -> Self {
    Self(reason, path: path, tensor: tensor ?? name)
  }

  /// One line without a trailing newline: `FILE: tensor "NAME": expected …, found …`.
  public var description: String {
    var line = ""
    if let path {
      line += path.printable(limit: 4096) + ": "
    }
    if let tensor {
      line += "tensor \(tensor.quoted): "
    }
    return line + reason.message
  }
}

extension SafetensorsError.Reason {
  var message: String {
    switch self {
    case .system(let operation, let code):
      "cannot \(operation): \(systemMessage(code))"
    case .pathContainsNUL:
      "expected a path, found one with a NUL character in it"
    case .notAFile(let kind):
      "expected a regular file, found \(kind)"
    case .missingHeaderLength(let byteCount):
      byteCount == 0
        ? "expected a safetensors file, found an empty file"
        : "expected the 8 bytes of the header length, found the end of the file after \(byteCount)"
    case .headerTooLong(let length):
      "expected a header of at most \(Header.maximumLength) bytes, found a header length of \(length)"
    case .headerTruncated(let length, let available):
      "expected a header of \(length) bytes, found the end of the file after \(available)"
    case .headerStart(let found):
      "expected the header to begin with \"{\", found \(found)"
    case .invalidUTF8(let offset):
      "expected UTF-8 in the string at byte \(offset) of the header, found other bytes"
    case .unexpectedJSON(let offset, let expected, let found):
      "expected \(expected) at byte \(offset) of the header, found \(found)"
    case .nestedTooDeeply(let limit):
      "expected a header nested at most \(limit) deep, found more"
    case .duplicateKey(let key, let within):
      "expected each key of \(within) once, found \(key.quoted) again"
    case .missingField(let field):
      "expected \"dtype\", \"shape\" and \"data_offsets\", found no \(field.quoted)"
    case .offsetCount(let count):
      "expected two data_offsets, found \(count < 3 ? String(count) : "more")"
    case .unknownType(let type):
      "expected a dtype among \(SafetensorsType.allCases.map(\.rawValue).joined(separator: " ")), found \(type.quoted)"
    case .tooManyAxes(let limit):
      "expected a shape of at most \(limit) axes, found more"
    case .negativeExtent(let shape):
      "expected a shape without negative extents, found \(shape)"
    case .shapeOverflow(let type, let shape):
      "expected a shape whose byte count fits into \(Int.bitWidth) bits, found \(type.rawValue) \(shape)"
    case .reversedOffsets(let begin, let end):
      "expected data_offsets in ascending order, found [\(begin), \(end)]"
    case .offsetsOutOfRange(let begin, let end, let available):
      "expected data_offsets within the \(available) bytes of data, found [\(begin), \(end)]"
    case .byteCountMismatch(let type, let shape, let expected, let found):
      "expected \(expected) bytes for \(type.rawValue) \(shape), found \(found)"
    case .overlap(let other, let begin, let otherEnd):
      "expected to begin at byte \(otherEnd) of the data or later, where tensor \(other.quoted) ends, found \(begin)"
    case .hole(let begin, let end):
      "expected tensors to cover all data, found none for bytes \(begin) to \(end)"
    case .noSuchTensor:
      "expected in the file, found no tensor of this name"
    case .notIntegers(let type):
      "expected an integer type or BOOL, found \(type.rawValue)"
    case .integerTooLarge(let value, let index):
      "expected integers up to \(Int.max), found \(value) at element \(index)"
    case .nameInUse:
      "expected a new name, found one that was added before"
    case .reservedName:
      "expected another name, found the one that the format reserves"
    }
  }
}
