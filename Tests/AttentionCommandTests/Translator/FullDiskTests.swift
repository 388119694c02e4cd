import Foundation
import Testing

/// What cannot be written: status 73, one line that names the file, and what was there before stays whole.
@Suite struct FullDiskTests {
  private static let arguments =
    ["train", "--task", "numerals"] + Translator.small + ["--schedule", "constant", "--epochs"]

  /// A training of one epoch in a directory, and the same of three for comparison in another.
  private struct Trained {
    let directory: TemporaryDirectory
    let elsewhere: TemporaryDirectory
    var model: String { directory.file("m") }
    var three: String { elsewhere.file("m") }

    init() throws {
      directory = try TemporaryDirectory()
      elsewhere = try TemporaryDirectory()
      for (path, epochs) in [(directory.file("m"), "1"), (elsewhere.file("m"), "3")] {
        let outcome = try attention(FullDiskTests.arguments + [epochs, "-o", path])
        try #require(outcome.ending == .exit(0), "\(outcome.error)")
      }
    }
  }

  /// A limit to the size of files stands for the full disk: writing fails in the midst of the file.
  @Test(arguments: [true, false]) func filesThatMayNotGrow(resume: Bool) throws {
    let trained = try Trained()
    let files = [trained.model, trained.model + ".checkpoint"]
    let before = try files.map(bytes)
    let command = try #require(AttentionExecutable.path)
    // 40 blocks of 512 or 1024 bytes; the checkpoint has 180 kB.
    let outcome = try runProcess(
      "/bin/sh",
      ["-c", #"ulimit -f 40; exec "$@""#, "sh", command] + Self.arguments + ["3", "-o", trained.model]
        + (resume ? ["--resume"] : []))
    #expect(outcome.ending == .exit(73))
    #expect(outcome.error == "attention: \(files[1]): cannot write: \(String(cString: strerror(EFBIG)))\n")
    #expect(try files.map(bytes) == before)
    #expect(try trained.directory.contents == ["m", "m.checkpoint"])
    let rest = try attention(Self.arguments + ["3", "-o", trained.model, "--resume"])
    #expect(rest.ending == .exit(0), "\(rest.error)")
    #expect(try bytes(of: trained.model) == bytes(of: trained.three))
  }

  #if os(Linux)
    /// Whether this user may have a file system in memory of its own.
    private static let hasNamespaces =
      (try? runProcess("/usr/bin/unshare", ["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]))?.ending == .exit(0)

    /// A file system that is really full.
    @Test(.enabled(if: hasNamespaces, "the system gives this user no mount namespace for a small file system"))
    func aFullFileSystem() throws {
      let trained = try Trained()
      let command = try #require(AttentionExecutable.path)
      let script = """
        mount -t tmpfs -o size=2m tmpfs "$1/disk" || exit 1
        cp "$1/m" "$1/m.checkpoint" "$1/disk"; save=$1; shift
        head -c 4000000 /dev/zero > "$save/disk/filler" 2> "$save/ignored"
        "$@" 3 -o "$save/disk/m" --resume > "$save/ignored" 2> "$save/error"; echo $? > "$save/status"
        cmp "$save/m" "$save/disk/m" && cmp "$save/m.checkpoint" "$save/disk/m.checkpoint" || exit 2
        ls -A "$save/disk" | tr '\\n' ' ' > "$save/files"; rm "$save/disk/filler"
        "$@" 3 -o "$save/disk/m" --resume > "$save/ignored" || exit 3
        cp "$save/disk/m" "$save/finished"
        """
      try FileManager.default.createDirectory(
        atPath: trained.directory.file("disk"), withIntermediateDirectories: false)
      let outcome = try runProcess(
        "/usr/bin/unshare",
        ["-Urm", "/bin/sh", "-c", script, "sh", trained.directory.path, command] + Self.arguments)
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
      func text(_ name: String) throws -> String {
        String(decoding: try bytes(of: trained.directory.file(name)), as: UTF8.self)
      }
      #expect(try text("status") == "73\n" && text("files") == "filler m m.checkpoint ")
      let disk = trained.directory.file("disk")
      #expect(
        try text("error") == "attention: \(disk)/m.checkpoint: cannot write: \(String(cString: strerror(ENOSPC)))\n")
      #expect(try bytes(of: trained.directory.file("finished")) == bytes(of: trained.three))
    }
  #endif

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
  func fullDevices() throws {
    let trained = try Trained()
    let outcome = try attention(Self.arguments + ["1", "-o", "/dev/full"])
    #expect(outcome.ending == .exit(73))
    #expect(outcome.error == "attention: /dev/full: cannot write: \(String(cString: strerror(ENOSPC)))\n")
    let command = try #require(AttentionExecutable.path)
    let pairs = try trained.directory.store(Array("three\t三\n".utf8), as: "pairs.tsv")
    let before = try bytes(of: trained.model)
    for arguments in [
      Self.arguments + ["3", "-o", trained.model, "--resume"], ["translate", trained.model, "三"],
      ["evaluate", trained.model, "--pairs", pairs],
    ] {
      let outcome = try runProcess("/bin/sh", ["-c", #"exec "$@" > /dev/full"#, "sh", command] + arguments)
      expectFailure(outcome, status: 73, naming: ["stdout", String(cString: strerror(ENOSPC))])
      #expect(try bytes(of: trained.model) == before)
    }
  }
}
