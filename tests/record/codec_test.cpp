#include "engine/record/codec.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "engine/record/round_generated.h"
#include "tests/record/make_record.h"
#include "tests/record/same_message.h"

namespace draftscope {
namespace {

using test::make_end;
using test::make_info;
using test::make_round;
using test::make_shared_round;
using test::same;

void expect_round_trip(const Message& message) {
  const std::vector<std::byte> bytes = encode(message);
  const Result<Message> decoded = decode(bytes);
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_TRUE(same(message, *decoded));
  EXPECT_EQ(encode(*decoded), bytes);
}

TEST(Codec, GivesBackEveryMadeMessage) {
  expect_round_trip(make_info());
  expect_round_trip(make_end(31));
  for (uint64_t seed = 0; seed < 60; ++seed) {
    for (const int n_nodes : {0, 1, 2, 15, 64, 256}) {
      SCOPED_TRACE(fmt::format("seed {}, {} nodes", seed, n_nodes));
      expect_round_trip(make_round(seed, n_nodes));
    }
  }
}

TEST(Codec, GivesBackMessagesOfDefaultsAndEmptyTexts) {
  expect_round_trip(SessionInfo{});
  expect_round_trip(SessionEnd{});
  RoundRecord least;
  least.tree = {{7}, {-1}, {0}, {0}, {0.0}};
  least.verdict = {{8}, {-0.5f}};
  least.accepted = {{0}, 8};
  expect_round_trip(least);
}

TEST(Codec, KeepsWhatARoundSharesWithOtherRequests) {
  for (const int n_nodes : {0, 1, 64}) {
    for (const int32_t n_requests : {1, 2, 8}) expect_round_trip(make_shared_round(3, n_nodes, 7, 5, n_requests));
  }
  SessionInfo info = make_info();
  info.n_slots = 8;
  expect_round_trip(info);
}

// What a program wrote that knew of no batches: the tables end before the newer fields.
TEST(Codec, ReadsRecordsWithoutTheFieldsOfBatches) {
  flatbuffers::FlatBufferBuilder builder;
  const auto old_frame = [&](wire::Message type, flatbuffers::Offset<void> body) {
    wire::FinishFrameBuffer(builder, wire::CreateFrame(builder, 1, type, body));
    return decode(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
  };
  const std::vector<int32_t> root = {0}, none = {-1}, token = {7};
  const std::vector<double> log_q = {0.0};
  const std::vector<float> log_p = {-0.5f};
  const auto tree = wire::CreateDraftTreeDirect(builder, &token, &none, &root, &root, &log_q);
  const auto round = wire::CreateRoundRecord(
      builder, 4, 2, 40, wire::Method::Exact, 0, wire::CreateMarginals(builder), tree, wire::CreateBudgetDecision(builder),
      wire::CreateVerdictDirect(builder, &token, &log_p), wire::CreateAcceptedDirect(builder, &root, 7),
      wire::CreateStageTimes(builder), wire::CreateStageTimes(builder), 0, wire::CreateTokenText(builder));
  const Result<Message> decoded = old_frame(wire::Message::RoundRecord, round.Union());
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(std::get<RoundRecord>(*decoded).seq, 4);
  EXPECT_FALSE(std::get<RoundRecord>(*decoded).shared.has_value());
  builder.Clear();
  const auto info = wire::CreateSessionInfoDirect(builder, 2, "target", "drafter", "cpu", "bf16", "machine", "", "prompt", 3, 16,
                                                  256, wire::Method::Exact, 64, 0, 0, wire::CreateCostModel(builder));
  const Result<Message> session = old_frame(wire::Message::SessionInfo, info.Union());
  ASSERT_TRUE(session) << session.error();
  EXPECT_EQ(std::get<SessionInfo>(*session).n_slots, 0);
}

// What a program wrote that timed no plain steps.
TEST(Codec, ReadsCostModelsWithoutAPlainStep) {
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<int32_t> context = {0, 64}, rows = {1, 8};
  const std::vector<double> verify_s = {1, 2, 3, 4}, draft_s = {0.5, 0.6};
  const auto cost = wire::CreateCostModelDirect(builder, wire::CostKind::Measured, "label", "source", "model", "machine", "cpu",
                                                &context, &rows, &verify_s, nullptr, &draft_s, 0.25);
  const auto info = wire::CreateSessionInfoDirect(builder, 2, "target", "drafter", "cpu", "bf16", "machine", "", "prompt", 3, 16,
                                                  256, wire::Method::Exact, 64, 0, 0, cost);
  wire::FinishFrameBuffer(builder, wire::CreateFrame(builder, 1, wire::Message::SessionInfo, info.Union()));
  const Result<Message> session = decode(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
  ASSERT_TRUE(session) << session.error();
  EXPECT_EQ(std::get<SessionInfo>(*session).cost.overhead_s, 0.25);
  EXPECT_TRUE(std::get<SessionInfo>(*session).cost.plain_s.empty());
  expect_round_trip(*session);
}

TEST(Codec, KeepsEveryEnumerator) {
  for (int value = 0; value <= static_cast<int>(Method::kExact); ++value) {
    RoundRecord round = make_round(1, 5);
    round.method = static_cast<Method>(value);
    round.took.provenance = static_cast<Provenance>(value);
    round.predicted.provenance = static_cast<Provenance>(4 - value);
    round.decision.provenance = static_cast<Provenance>(value);
    round.decision.stop = static_cast<StopReason>(value + 1);
    expect_round_trip(round);
    SessionEnd end = make_end();
    end.reason = static_cast<EndReason>(value);
    expect_round_trip(end);
    SessionInfo info = make_info();
    info.cost.kind = static_cast<CostKind>(value + 1);
    expect_round_trip(info);
  }
}

TEST(Codec, ReusesOneEncoder) {
  Encoder encoder;
  for (const int n_nodes : {256, 1, 64}) {
    const RoundRecord round = make_round(3, n_nodes);
    const std::span<const std::byte> bytes = encoder.encode(round);
    EXPECT_EQ(std::vector<std::byte>(bytes.begin(), bytes.end()), encode(Message(round)));
  }
}

TEST(Codec, DecodesBytesAtAnyAddress) {
  const Message message = make_round(5, 40);
  const std::vector<std::byte> bytes = encode(message);
  for (size_t shift = 0; shift < 8; ++shift) {
    std::vector<std::byte> shifted(shift);
    shifted.insert(shifted.end(), bytes.begin(), bytes.end());
    const Result<Message> decoded = decode(std::span<const std::byte>(shifted).subspan(shift));
    ASSERT_TRUE(decoded) << decoded.error();
    EXPECT_TRUE(same(message, *decoded));
  }
}

// A damaged message is an error or another message that keeps the invariants, never a crash.
TEST(Codec, SurvivesEveryBitFlip) {
  for (const Message& message : {Message(make_info()), Message(make_round(2, 12)), Message(make_end(3)),
                                 Message(make_shared_round(2, 3, 4, 1, 8))}) {
    std::vector<std::byte> bytes = encode(message);
    size_t n_errors = 0;
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const std::byte flip{static_cast<unsigned char>(1u << (bit % 8))};
      bytes[bit / 8] ^= flip;
      const Result<Message> decoded = decode(bytes);
      if (!decoded) {
        ++n_errors;
        EXPECT_FALSE(decoded.error().empty());
      } else {
        // Whatever passed is a valid message: it survives a round trip of its own.
        EXPECT_TRUE(decode(encode(*decoded)));
      }
      bytes[bit / 8] ^= flip;
    }
    EXPECT_GT(n_errors, 50u);
    EXPECT_TRUE(decode(bytes));
  }
}

TEST(Codec, RefusesEveryProperPrefix) {
  const std::vector<std::byte> bytes = encode(Message(make_round(2, 12)));
  size_t n_accepted = 0;
  for (size_t n = 0; n < bytes.size(); ++n) {
    // Only padding may be missing.
    if (decode(std::span<const std::byte>(bytes).first(n))) ++n_accepted;
  }
  EXPECT_LT(n_accepted, 8u);
}

// A frame with a session end; the caller breaks it.
std::vector<std::byte> frame_of(uint16_t version, wire::EndReason reason, wire::Message type) {
  flatbuffers::FlatBufferBuilder builder;
  const auto end = wire::CreateSessionEnd(builder, 1, reason);
  wire::FinishFrameBuffer(builder, wire::CreateFrame(builder, version, type, end.Union()));
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

TEST(Codec, NamesWhatItCannotRead) {
  EXPECT_TRUE(decode(frame_of(kRecordVersion, wire::EndReason::Eos, wire::Message::SessionEnd)));
  EXPECT_EQ(decode(frame_of(2, wire::EndReason::Eos, wire::Message::SessionEnd)).error(),
            "record has version 2, expected 1");
  EXPECT_EQ(decode(frame_of(1, wire::EndReason{9}, wire::Message::SessionEnd)).error(),
            "session end holds an enumeration value that this version does not know");
  EXPECT_EQ(decode(frame_of(1, wire::EndReason::Eos, wire::Message{7})).error(),
            "record holds a message of unknown kind 7");
  EXPECT_EQ(decode({}).error(), "record is empty");
  const std::string text = "these are not the bytes of a record";
  EXPECT_EQ(decode(std::as_bytes(std::span(text))).error(),
            "35 bytes are no record: expected identifier DSR1 and whole tables");
}

TEST(Codec, TimesOfA256NodeRoundArePrinted) {
  const RoundRecord round = make_round(1, 256);
  Encoder encoder;
  constexpr int kRepeats = 200;
  size_t n_bytes = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRepeats; ++i) n_bytes = encoder.encode(round).size();
  const std::chrono::duration<double, std::micro> encode_us = std::chrono::steady_clock::now() - begin;
  const std::vector<std::byte> bytes = encode(Message(round));
  const auto decode_begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRepeats; ++i) ASSERT_TRUE(decode(bytes));
  const std::chrono::duration<double, std::micro> decode_us = std::chrono::steady_clock::now() - decode_begin;
  std::printf("256 nodes: %zu bytes, encode %.1f us, decode %.1f us\n", n_bytes, encode_us.count() / kRepeats,
              decode_us.count() / kRepeats);
  EXPECT_EQ(n_bytes, bytes.size()) << "an encoder that is used again";
}

}  // namespace
}  // namespace draftscope
