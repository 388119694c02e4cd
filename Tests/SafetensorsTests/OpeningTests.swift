import Foundation
import Safetensors
import Testing

/// Paths that lead to no readable regular file.
@Suite struct OpeningTests {
  private func reason(_ path: String) -> SafetensorsError.Reason? {
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: path) }?.reason
  }

  @Test func missingFile() throws {
    let directory = try TemporaryDirectory()
    #expect(reason(directory.file("none")) == .system(operation: "open", code: ENOENT))
    #expect(reason("") == .system(operation: "open", code: ENOENT))
  }

  @Test func emptyFile() throws {
    let directory = try TemporaryDirectory()
    #expect(reason(try directory.store([])) == .missingHeaderLength(byteCount: 0))
  }

  @Test func directory() throws {
    let directory = try TemporaryDirectory()
    #expect(reason(directory.path) == .notAFile(kind: "a directory"))
  }

  @Test(.timeLimit(.minutes(1))) func pipeWithoutWriter() throws {
    let directory = try TemporaryDirectory()
    try #require(mkfifo(directory.file("pipe"), 0o600) == 0)
    #expect(reason(directory.file("pipe")) == .notAFile(kind: "a pipe"))
  }

  @Test func device() {
    #expect(reason("/dev/null") == .notAFile(kind: "a character device"))
  }

  @Test func unreadableFile() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.store(fileBytes(header: "{}"))
    chmod(path, 0)
    // The superuser may read anything.
    if geteuid() != 0 {
      #expect(reason(path) == .system(operation: "open", code: EACCES))
    }
  }

  @Test func pathWithNUL() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.store(fileBytes(header: "{}"))
    #expect(reason(path + "\u{0}x") == .pathContainsNUL)
  }

  @Test func linkLoop() throws {
    let directory = try TemporaryDirectory()
    try #require(symlink("loop", directory.file("loop")) == 0)
    #expect(reason(directory.file("loop")) == .system(operation: "open", code: ELOOP))
  }

  #if os(Linux)
    @Test func openingLeavesNoDescriptorOrMapping() throws {
      let directory = try TemporaryDirectory()
      let good = try directory.store(fileBytes(header: "{}"), as: "good-leak-check")
      let bad = try directory.store(fileBytes(header: "[]"), as: "bad-leak-check")
      for _ in 0..<3000 {
        _ = try SafetensorsFile(contentsOf: good)
        _ = try? SafetensorsFile(contentsOf: bad)
      }
      let maps = String(decoding: try Data(contentsOf: URL(fileURLWithPath: "/proc/self/maps")), as: UTF8.self)
      #expect(!maps.contains("-leak-check"))
      let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
      let targets = descriptors.compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
      }
      #expect(!targets.contains { $0.contains("-leak-check") })
    }
  #endif
}
