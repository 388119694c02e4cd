#if canImport(Darwin)
  import Darwin
#endif
import Foundation
import Testing

/// The built `attention` executable.
enum AttentionExecutable {
  /// Its path: in the products directory, which holds the tests too. nil when it is not there.
  ///
  /// On Linux the tests are an executable in that directory. On macOS they are a bundle in it, and the process is a
  /// helper from elsewhere; the image that this code came from is asked for first for that reason.
  static let path: String? = {
    var places = Bundle.allBundles.map(\.bundlePath)
    #if canImport(Darwin)
      var image = Dl_info()
      if dladdr(#dsohandle, &image) != 0, let name = image.dli_fname {
        places.insert(String(cString: name), at: 0)
      }
    #endif
    places += ["/proc/self/exe", CommandLine.arguments[0], Bundle.main.bundlePath]
    for place in places {
      var directory = URL(fileURLWithPath: place).resolvingSymlinksInPath()
      // Up to X.xctest/Contents/MacOS/X.
      for _ in 0..<5 {
        let candidate = directory.appendingPathComponent("attention").path
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory), !isDirectory.boolValue,
          FileManager.default.isExecutableFile(atPath: candidate)
        {
          return candidate
        }
        directory.deleteLastPathComponent()
      }
    }
    return nil
  }()

  /// The instruction sets that this machine has, best first, as the command lists them.
  static let instructionSets: [String] = {
    struct Info: Decodable {
      struct InstructionSet: Decodable {
        var name: String
        var available: Bool
      }
      var instructionSets: [InstructionSet]
    }
    guard let outcome = try? attention("info", "--json"),
      let info = try? JSONDecoder().decode(Info.self, from: Data(outcome.output))
    else { return [] }
    return info.instructionSets.filter(\.available).map(\.name)
  }()
}

/// Runs the command.
func attention(
  _ arguments: [String], environment: [String: String] = [:], timeout: Duration = .seconds(60)
) throws -> Outcome {
  let path = try #require(AttentionExecutable.path, "no executable called attention beside the tests")
  return try runProcess(path, arguments, environment: environment, timeout: timeout)
}

func attention(_ arguments: String...) throws -> Outcome { try attention(arguments) }

/// Expects that a run ended well and in silence.
func expectSilentSuccess(_ outcome: Outcome, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(outcome.ending == .exit(0), "\(outcome.error)", sourceLocation: sourceLocation)
  #expect(outcome.error == "", sourceLocation: sourceLocation)
  #expect(outcome.output == [], sourceLocation: sourceLocation)
}

/// Expects that a run failed with `status`, nothing on stdout and one line on stderr that holds all `words`.
func expectFailure(
  _ outcome: Outcome, status: Int32, naming words: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
  let error = outcome.error
  #expect(outcome.ending == .exit(status), "\(error)", sourceLocation: sourceLocation)
  #expect(outcome.output == [], sourceLocation: sourceLocation)
  #expect(
    error.hasPrefix("attention: ") && error.hasSuffix("\n") && outcome.errorLines.count == 1,
    "expected one line, found \(error.debugDescription)", sourceLocation: sourceLocation)
  for word in words {
    #expect(error.contains(word), "\(error.debugDescription) lacks \(word)", sourceLocation: sourceLocation)
  }
}
