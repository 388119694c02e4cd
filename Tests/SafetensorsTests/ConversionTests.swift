import Safetensors
import Testing

@Suite struct ConversionTests {
  private func tensor<Scalar: BitwiseCopyable>(
    _ type: SafetensorsType, _ scalars: [Scalar]
  ) throws -> SafetensorsTensor {
    let directory = try TemporaryDirectory()
    var writer = SafetensorsWriter()
    try scalars.withUnsafeBytes { try writer.add("t", type: type, shape: [scalars.count], bytes: $0) }
    try writer.write(to: directory.file("t"))
    return try SafetensorsFile(contentsOf: directory.file("t")).tensor(named: "t")
  }

  #if !(os(macOS) && arch(x86_64))
    @Test func everyHalfMatchesTheProcessor() throws {
      let patterns = (UInt16.min...UInt16.max).map { $0 }
      let floats = try tensor(.f16, patterns).scalars(as: Float.self)
      let halves = try tensor(.f16, patterns).scalars(as: Float16.self)
      #expect(floats.count == 65536)
      for (index, pattern) in patterns.enumerated() {
        let expected = Float(Float16(bitPattern: pattern))
        // The processor may quieten a NaN; that it is one, and its sign, must agree.
        let same =
          expected.isNaN
          ? floats[index].isNaN && floats[index].sign == expected.sign && halves[index].isNaN
          : floats[index].bitPattern == expected.bitPattern && halves[index].bitPattern == pattern
        if !same { Issue.record("half \(pattern): expected \(expected), found \(floats[index])") }
      }
    }
  #endif

  @Test func everyBrainFloatIsTheUpperHalfOfAFloat() throws {
    let patterns = (UInt16.min...UInt16.max).map { $0 }
    let floats = try tensor(.bf16, patterns).scalars(as: Float.self)
    for (pattern, float) in zip(patterns, floats) {
      let expected = UInt32(pattern) << 16
      let same = Float(bitPattern: expected).isNaN ? float.isNaN : float.bitPattern == expected
      if !same { Issue.record("bfloat16 \(pattern): found \(float)") }
    }
  }

  @Test func integersBecomeTheNearestScalar() throws {
    #expect(try tensor(.i8, [-128, 127] as [Int8]).scalars(as: Float.self) == [-128, 127])
    #expect(try tensor(.i16, [-32768, 32767] as [Int16]).scalars(as: Float.self) == [-32768, 32767])
    #expect(try tensor(.u16, [65535] as [UInt16]).scalars(as: Double.self) == [65535])
    #expect(try tensor(.u8, [255] as [UInt8]).scalars(as: Float.self) == [255])
    #expect(try tensor(.i32, [.min, .max] as [Int32]).scalars(as: Float.self) == [-0x1p31, 0x1p31])
    #expect(try tensor(.i32, [.min, .max] as [Int32]).scalars(as: Double.self) == [-0x1p31, 0x1p31 - 1])
    #expect(try tensor(.u32, [.max] as [UInt32]).scalars(as: Double.self) == [0x1p32 - 1])
    #expect(try tensor(.i64, [.min, (1 << 53) + 1] as [Int64]).scalars(as: Double.self) == [-0x1p63, 0x1p53])
    #expect(try tensor(.i64, [0x1_0000_0100_0000_01] as [Int64]).scalars(as: Float.self) == [0x1.000002p56])
    #expect(try tensor(.u64, [.max] as [UInt64]).scalars(as: Double.self) == [0x1p64])
    #expect(try tensor(.bool, [0, 1, 2, 255] as [UInt8]).scalars(as: Float.self) == [0, 1, 1, 1])
  }

  @Test func floatsBecomeTheNearestScalar() throws {
    #expect(try tensor(.f64, [0.1, 1e300, -1e-300] as [Double]).scalars(as: Float.self) == [0.1, .infinity, -0.0])
    #expect(try tensor(.f32, [0.1] as [Float]).scalars(as: Double.self) == [Double(Float(0.1))])
    #expect(try tensor(.f64, [Double.nan]).scalars(as: Float.self)[0].isNaN)
    let signalling = Float(bitPattern: 0x7F80_0001)
    #expect(try tensor(.f32, [signalling]).scalars(as: Float.self)[0].bitPattern == 0x7F80_0001)
  }

  @Test func integersComeExactly() throws {
    #expect(try tensor(.i8, [-128, 127] as [Int8]).integers() == [-128, 127])
    #expect(try tensor(.i16, [.min, .max] as [Int16]).integers() == [-32768, 32767])
    #expect(try tensor(.u16, [.max] as [UInt16]).integers() == [65535])
    #expect(try tensor(.i32, [.min, .max] as [Int32]).integers() == [-(1 << 31), (1 << 31) - 1])
    #expect(try tensor(.u32, [.max] as [UInt32]).integers() == [(1 << 32) - 1])
    #expect(try tensor(.u64, [0, UInt64(Int.max)]).integers() == [0, .max])
    #expect(try tensor(.bool, [0, 1, 7] as [UInt8]).integers() == [0, 1, 1])
  }

  @Test func integersBeyondIntAreRefused() throws {
    let tensor = try tensor(.u64, [1, UInt64(Int.max) + 1])
    let error = #expect(throws: SafetensorsError.self) { try tensor.integers() }
    #expect(error?.reason == .integerTooLarge(value: 1 << 63, index: 1))
    #expect(error?.tensor == "t")
  }

  @Test(arguments: [SafetensorsType.f64, .f32, .f16, .bf16])
  func integersOfFloatTypesAreRefused(type: SafetensorsType) throws {
    let tensor = try tensor(type, [UInt8](repeating: 0, count: 0))
    let error = #expect(throws: SafetensorsError.self) { try tensor.integers() }
    #expect(error?.reason == .notIntegers(type: type))
  }

  @Test func unalignedDataIsReadable() throws {
    let directory = try TemporaryDirectory()
    let header = "{" + entry("a", "U8", "[1]", "[0,1]") + "," + entry("d", "F64", "[2]", "[1,17]") + "}"
    let doubles = withUnsafeBytes(of: (0.1, -2.5)) { Array($0) }
    // Both parities of the header put the doubles at odd and even addresses.
    for padding in ["", " "] {
      let path = try directory.store(fileBytes(header: header + padding, data: [5] + doubles))
      let tensor = try SafetensorsFile(contentsOf: path).tensor(named: "d")
      #expect(tensor.scalars(as: Double.self) == [0.1, -2.5])
      #expect(tensor.scalars(as: Float.self) == [0.1, -2.5])
    }
  }
}
