import Foundation
import Safetensors
import Testing

@Suite struct WritingTests {
  private func writer(_ value: Float = 1) throws -> SafetensorsWriter {
    var writer = SafetensorsWriter()
    try writer.add("t", [value], shape: [1])
    return writer
  }

  private func value(at path: String) throws -> [Float] {
    try SafetensorsFile(contentsOf: path).tensor(named: "t").scalars()
  }

  private func failure(writingTo path: String) throws -> SafetensorsError? {
    let writer = try writer(2)
    let error = #expect(throws: SafetensorsError.self) { try writer.write(to: path) }
    #expect(error?.path == path)
    return error
  }

  private func permissions(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  // MARK: What may be added

  @Test func nameTwice() throws {
    var writer = try writer()
    let error = #expect(throws: SafetensorsError.self) { try writer.add("t", [2] as [Float], shape: [1]) }
    #expect(error == SafetensorsError(.nameInUse, tensor: "t"))
  }

  @Test func reservedName() throws {
    var writer = SafetensorsWriter()
    let error = #expect(throws: SafetensorsError.self) { try writer.add("__metadata__", [2] as [Float], shape: [1]) }
    #expect(error?.reason == .reservedName)
  }

  @Test func byteCountDiffers() throws {
    var writer = SafetensorsWriter()
    let error = #expect(throws: SafetensorsError.self) { try writer.add("t", [1, 2] as [Float], shape: [3]) }
    #expect(error?.reason == .byteCountMismatch(type: .f32, shape: [3], expected: 12, found: 8))
    let other = #expect(throws: SafetensorsError.self) {
      try writer.add("t", type: .f32, shape: [], bytes: [0, 0, 0])
    }
    #expect(other?.reason == .byteCountMismatch(type: .f32, shape: [], expected: 4, found: 3))
    // Nothing was added: the name is still free.
    try writer.add("t", [1] as [Float], shape: [1])
  }

  @Test func impossibleShapes() throws {
    var writer = SafetensorsWriter()
    func reason(_ shape: [Int]) -> SafetensorsError.Reason? {
      #expect(throws: SafetensorsError.self) { try writer.add("t", [] as [Float], shape: shape) }?.reason
    }
    #expect(reason([-1, 0]) == .negativeExtent(shape: [-1, 0]))
    #expect(reason([.max, .max]) == .shapeOverflow(type: .f32, shape: [.max, .max]))
    #expect(reason([.max, 0]) == .shapeOverflow(type: .f32, shape: [.max, 0]))
    #expect(reason(Array(repeating: 0, count: 65)) == .tooManyAxes(limit: 64))
  }

  // MARK: Where it may be written

  @Test func newFileFollowsTheUmask() throws {
    let directory = try TemporaryDirectory()
    try writer().write(to: directory.file("ours"))
    close(open(directory.file("plain"), O_CREAT | O_WRONLY, 0o666))
    #expect(try permissions(directory.file("ours")) == permissions(directory.file("plain")))
    #expect(try directory.contents == ["ours", "plain"])
  }

  @Test func existingFileIsReplacedWithItsPermissions() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.store([UInt8](repeating: 0, count: 5000))
    chmod(path, 0o640)
    try writer(3).write(to: path)
    #expect(try value(at: path) == [3])
    #expect(try permissions(path) == 0o640)
    #expect(try directory.contents == ["file.safetensors"])
  }

  @Test func openTensorsSurviveReplacement() throws {
    let directory = try TemporaryDirectory()
    try writer(1).write(to: directory.file("t"))
    let tensor = try SafetensorsFile(contentsOf: directory.file("t")).tensor(named: "t")
    try writer(2).write(to: directory.file("t"))
    #expect(tensor.scalars() == [1 as Float])
    #expect(try value(at: directory.file("t")) == [2])
  }

  @Test func bareNameIsRelative() throws {
    let name = "safetensors-tests-" + UUID().uuidString
    defer { unlink(name) }
    try writer(5).write(to: name)
    #expect(try value(at: name) == [5])
  }

  @Test func linkIsWrittenThrough() throws {
    let directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.file("sub"), withIntermediateDirectories: false)
    try writer(1).write(to: directory.file("sub/real"))
    try #require(symlink("sub/second", directory.file("first")) == 0)
    try #require(symlink("real", directory.file("sub/second")) == 0)
    try writer(2).write(to: directory.file("first"))
    #expect(try value(at: directory.file("sub/real")) == [2])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: directory.file("first")) == "sub/second")
    #expect(try directory.contents == ["first", "sub"])
  }

  @Test func linkToNothingCreatesItsTarget() throws {
    let directory = try TemporaryDirectory()
    try #require(symlink(directory.file("real"), directory.file("link")) == 0)
    try writer(2).write(to: directory.file("link"))
    #expect(try value(at: directory.file("real")) == [2])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: directory.file("link")) == directory.file("real"))
  }

  @Test func linkLoopIsRefused() throws {
    let directory = try TemporaryDirectory()
    try #require(symlink("loop", directory.file("loop")) == 0)
    #expect(
      try failure(writingTo: directory.file("loop"))?.reason == .system(operation: "examine", code: ELOOP))
  }

  @Test func missingDirectoryLeavesNothing() throws {
    let directory = try TemporaryDirectory()
    let error = try failure(writingTo: directory.file("none/t"))
    #expect(error?.reason == .system(operation: "create a file", code: ENOENT))
    #expect(try directory.contents.isEmpty)
  }

  @Test func directoryIsRefused() throws {
    let directory = try TemporaryDirectory()
    #expect(try failure(writingTo: directory.path)?.reason == .notAFile(kind: "a directory"))
    #expect(try failure(writingTo: directory.path + "/")?.reason == .notAFile(kind: "a directory"))
    #expect(try directory.contents.isEmpty)
  }

  @Test func emptyPathAndPathWithNULAreRefused() throws {
    #expect(try failure(writingTo: "")?.reason == .system(operation: "open", code: ENOENT))
    #expect(try failure(writingTo: "/tmp/x\u{0}y")?.reason == .pathContainsNUL)
  }

  @Test func nullDeviceTakesEverything() throws {
    try writer().write(to: "/dev/null")
    var status = stat()
    try #require(stat("/dev/null", &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func pipeWithoutReaderIsRefused() throws {
    let directory = try TemporaryDirectory()
    try #require(mkfifo(directory.file("pipe"), 0o600) == 0)
    #expect(try failure(writingTo: directory.file("pipe"))?.reason == .system(operation: "open", code: ENXIO))
  }

  @Test func pipeWithReaderGetsTheFile() throws {
    let directory = try TemporaryDirectory()
    try #require(mkfifo(directory.file("pipe"), 0o600) == 0)
    let reader = open(directory.file("pipe"), O_RDONLY | O_NONBLOCK)
    try #require(reader >= 0)
    defer { close(reader) }
    try writer().write(to: directory.file("pipe"))
    try writer().write(to: directory.file("file"))
    var buffer = [UInt8](repeating: 0, count: 1000)
    let count = read(reader, &buffer, buffer.count)
    #expect(try Array(buffer.prefix(count)) == bytes(of: directory.file("file")))
  }

  #if os(Linux)
    @Test func fullDeviceReportsNoSpace() throws {
      #expect(try failure(writingTo: "/dev/full")?.reason == .system(operation: "write", code: ENOSPC))
    }

    /// A file size limit cuts the writing short as a full disk would. It holds for the whole process while the test
    /// runs, and is far above what any other test writes.
    @Test func failedWriteLeavesTheOldFileAlone() throws {
      let directory = try TemporaryDirectory()
      let path = directory.file("t")
      try writer(7).write(to: path)
      let limit = 64 << 20
      var large = SafetensorsWriter()
      try large.add("large", [UInt8](repeating: 1, count: limit + 1), shape: [limit + 1])

      var old = rlimit()
      try #require(getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old) == 0)
      var new = rlimit(rlim_cur: rlim_t(limit), rlim_max: old.rlim_max)
      let handler = signal(SIGXFSZ, SIG_IGN)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &new)
      defer {
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
        signal(SIGXFSZ, handler)
      }
      let error = #expect(throws: SafetensorsError.self) { try large.write(to: path) }
      #expect(error?.reason == .system(operation: "write", code: EFBIG))
      #expect(try directory.contents == ["t"])
      #expect(try value(at: path) == [7])
    }
  #endif
}
