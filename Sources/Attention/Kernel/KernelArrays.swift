extension Kernel {
  /// An array that a kernel is about to write whole.
  static func written(_ count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { $1 = count }
  }

  static func withConstantPointer(to array: [Float]?, _ body: (UnsafeRawPointer?) -> Void) {
    guard let array else { return body(nil) }
    array.withUnsafeBytes { body($0.baseAddress) }
  }

  static func withMutablePointer(to array: inout [Float]?, _ body: (UnsafeMutableRawPointer?) -> Void) {
    guard array != nil else { return body(nil) }
    array!.withUnsafeMutableBytes { body($0.baseAddress) }
  }
}
