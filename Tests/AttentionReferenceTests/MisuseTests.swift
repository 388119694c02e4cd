import AttentionReference
import Testing

/// Arguments that do not fit each other stop the program with a message that names both sides.
@Suite struct MisuseTests {
  @Test func wrongCount() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var problem = Problem(keys: [1, 2], values: [1, 2])
      problem.queries = [1, 2, 3]
      _ = problem.reference()
    }
    #expect(try message(exit).contains("queries [B, H, Sq, D] = [1, 1, 1, 1] needs 1 elements, got 3"))
  }

  @Test func naiveChecksToo() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var problem = Problem(keys: [1, 2], values: [1, 2])
      problem.values = [1, 2, 3]
      _ = Implementation.naiveDouble(problem)
    }
    #expect(try message(exit).contains("values [B, G, Sk, Dv] = [1, 1, 2, 1] needs 2 elements, got 3"))
  }

  @Test func headGroups() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let shape = ReferenceShape(
        batch: 1, queryHeads: 6, keyHeads: 4, queryLength: 1, keyLength: 1, headDimension: 1, valueDimension: 1)
      _ = Problem(shape, seed: 1).reference()
    }
    #expect(try message(exit).contains("queryHeads (6) is not a multiple of keyHeads (4)"))
  }

  @Test func maskThatDoesNotBroadcast() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var problem = Problem(keys: [1, 2], values: [1, 2])
      problem.options.mask = ReferenceBroadcast(elements: [true, true, true], shape: [3])
      _ = problem.reference()
    }
    #expect(try message(exit).contains("mask of shape [3] does not broadcast to [B, H, Sq, Sk] = [1, 1, 1, 2]"))
  }

  @Test func keyLengthBeyondTheKeys() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var problem = Problem(keys: [1, 2], values: [1, 2])
      problem.options.keyLengths = [3]
      _ = problem.reference()
    }
    #expect(try message(exit).contains("keyLengths[0] must be in 0...2, got 3"))
  }

  @Test func vectorsOfAdditiveScores() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var problem = Problem(keys: [1, 2], values: [1, 2])
      problem.options.additive = [1, 2, 3]
      _ = problem.reference()
    }
    #expect(try message(exit).contains("additive [D] or [H, D] needs 1 or 1 elements, got 3"))
  }

  @Test func certainDropout() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var problem = Problem(keys: [1, 2], values: [1, 2])
      problem.options.dropoutProbability = 1
      _ = problem.reference()
    }
    #expect(try message(exit).contains("dropoutProbability must be in [0, 1), got 1.0"))
  }

  @Test func wrongCountOfOutputGradient() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Implementation.reference.gradients(of: Problem(keys: [1, 2], values: [1, 2]), outputGradient: [1, 2, 3])
    }
    #expect(try message(exit).contains("outputGradient [B, H, Sq, Dv] = [1, 1, 1, 1] needs 1 elements, got 3"))
  }

  @Test func naiveGradientsCheckToo() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Implementation.naiveFloat.gradients(of: Problem(keys: [1, 2], values: [1, 2]), outputGradient: [])
    }
    #expect(try message(exit).contains("outputGradient [B, H, Sq, Dv] = [1, 1, 1, 1] needs 1 elements, got 0"))
  }

  private func message(_ exit: ExitTest.Result?) throws -> String {
    String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
  }
}
