#include "engine/speculate/correction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

#include "tests/speculate/random_inputs.h"

namespace draftscope {
namespace {

using ::testing::HasSubstr;

// A row over a whole vocabulary, sorted: softmax(logits / temperature).
std::vector<double> softmax(const std::vector<double>& logits, double temperature) {
  std::vector<double> p;
  double sum = 0;
  for (const double logit : logits) p.push_back(std::exp(logit / temperature)), sum += p.back();
  for (double& value : p) value /= sum;
  std::sort(p.begin(), p.end(), std::greater<>());
  return p;
}

Marginals one_row(const std::vector<double>& p) {
  Marginals q{1, static_cast<int32_t>(p.size()), {}, {}};
  for (size_t rank = 0; rank < p.size(); ++rank) {
    q.token.push_back(static_cast<int32_t>(rank));
    q.log_q.push_back(static_cast<float>(std::log(p[rank])));
  }
  return q;
}

double mass(const Marginals& q, int32_t depth_row) {
  double sum = 0;
  for (int32_t rank = 0; rank < q.n_ranks; ++rank) sum += std::exp(static_cast<double>(q.log_q_at(depth_row, rank)));
  return sum;
}

Correction random_map(std::mt19937& random) {
  std::uniform_real_distribution<double> unit(0, 1);
  Correction correction;
  for (size_t n = 1 + random() % 6; correction.stated.size() < n;) {
    correction.stated.push_back(unit(random));
    correction.observed.push_back(random() % 4 == 0 ? 0.5 : unit(random));
  }
  std::sort(correction.stated.begin(), correction.stated.end());
  std::sort(correction.observed.begin(), correction.observed.end());
  return correction;
}

TEST(Correction, TheDefaultAndAFactorLeaveEveryBit) {
  std::mt19937 random(1);
  for (const Spread spread : {Spread::kRandom, Spread::kTied, Spread::kSparse}) {
    const Marginals q = random_marginals(random, 7, 20, spread);
    for (const double off_spine : {1.0, 0.3}) {
      Correction correction;
      correction.off_spine = off_spine;
      const Marginals out = corrected(q, correction);
      EXPECT_EQ(out.token, q.token);
      EXPECT_EQ(std::memcmp(out.log_q.data(), q.log_q.data(), q.log_q.size() * sizeof(float)), 0);
    }
  }
}

TEST(Correction, TemperatureIsTheSoftmaxOfDividedLogitsWhenEveryTokenIsKept) {
  std::mt19937 random(2);
  std::normal_distribution<double> normal(0, 2);
  for (const double temperature : {0.05, 0.5, 0.9, 1.7, 3.0}) {
    std::vector<double> logits(40);
    for (double& logit : logits) logit = normal(random);
    Correction correction;
    correction.temperature = temperature;
    const Marginals out = corrected(one_row(softmax(logits, 1)), correction);
    const std::vector<double> expected = softmax(logits, temperature);
    for (int32_t rank = 0; rank < 40; ++rank) {
      EXPECT_NEAR(std::exp(out.log_q_at(0, rank)), expected[static_cast<size_t>(rank)], 1e-5) << temperature;
    }
  }
}

TEST(Correction, TokensLeftOutCountAsOneLump) {
  Correction correction;
  correction.temperature = 2;
  const Marginals out = corrected(one_row({0.64, 0.09}), correction);  // 0.27 is left out
  const double sum = 0.8 + 0.3 + std::sqrt(0.27);
  EXPECT_NEAR(std::exp(out.log_q_at(0, 0)), 0.8 / sum, 1e-6);
  EXPECT_NEAR(std::exp(out.log_q_at(0, 1)), 0.3 / sum, 1e-6);
  EXPECT_NEAR(left_out(std::vector<float>{std::log(0.64f), std::log(0.09f)}), 0.27, 1e-6);
  EXPECT_EQ(left_out(std::vector<float>{std::log(0.6f), std::log(0.4f)}), 0);
}

TEST(Correction, ExtremeTemperaturesGiveNoNaN) {
  const float none = -std::numeric_limits<float>::infinity();
  for (const double temperature : {1e-300, 1e300}) {
    std::vector<float> row = {-0.5f, -2.0f, none}, empty, ruled_out = {none, none};
    const Correction correction{temperature, {}, {}, 1};
    for (std::vector<float>* one : {&row, &empty, &ruled_out}) {
      correct_row(*one, correction);
      for (const float value : *one) EXPECT_LE(value, 0) << temperature;
    }
  }
}

TEST(Correction, TheMapIsLinearBetweenPointsTowardsZeroBelowAndConstantAbove) {
  const Correction correction{1, {0.2, 0.4, 0.8}, {0.1, 0.3, 0.35}, 1};
  for (const auto& [stated, expected] : std::vector<std::pair<double, double>>{
           {0.1, 0.05}, {0.2, 0.1}, {0.3, 0.2}, {0.4, 0.3}, {0.6, 0.325}, {0.8, 0.35}, {0.95, 0.35}}) {
    EXPECT_NEAR(std::exp(corrected(one_row({stated}), correction).log_q[0]), expected, 1e-6) << stated;
  }
}

TEST(Correction, MapsKeepRowsDescendingAndTheirMassAtMostOne) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    Correction correction = random_map(random);
    if (round % 2 == 0) correction.temperature = 0.5 + 0.01 * round;
    const Marginals q = round % 3 == 0 ? random_marginals(random, 5, 30, Spread::kSparse)
                                       : realistic_marginals(random, 5, 30);
    const Marginals out = corrected(q, correction);
    for (int32_t depth = 0; depth < 5; ++depth) {
      EXPECT_LE(mass(out, depth), 1 + 1e-5);
      for (int32_t rank = 1; rank < 30; ++rank) {
        EXPECT_LE(out.log_q_at(depth, rank), out.log_q_at(depth, rank - 1));
        EXPECT_EQ(std::isinf(q.log_q_at(depth, rank)) && !std::isinf(out.log_q_at(depth, rank)), false);
      }
    }
  }
}

TEST(CorrectionJson, ComesBackBitForBit) {
  std::mt19937 random(4);
  for (int round = 0; round < 50; ++round) {
    Correction correction = random_map(random);
    correction.temperature = std::ldexp(static_cast<double>(random() | 1), -31);
    correction.off_spine = std::ldexp(static_cast<double>(random() | 1), -32);
    const Result<Correction> read = parse_correction_json(correction_json(correction), "round trip");
    ASSERT_TRUE(read.ok()) << read.error();
    EXPECT_EQ(read->temperature, correction.temperature);
    EXPECT_EQ(read->off_spine, correction.off_spine);
    EXPECT_EQ(read->stated, correction.stated);
    EXPECT_EQ(read->observed, correction.observed);
  }
  EXPECT_TRUE(parse_correction_json(correction_json({}), "default").ok());
}

TEST(CorrectionJson, BadInputGetsOneSentence) {
  const auto file = [](const char* temperature, const char* stated, const char* observed, const char* off_spine) {
    return fmt::format(R"({{"schema": "draft-correction/1", "temperature": {}, "stated": {}, "observed": {}, "off_spine": {}}})",
                       temperature, stated, observed, off_spine);
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not valid JSON"},
      {"[]", "expected an object"},
      {"{}", "missing key \"schema\""},
      {R"({"schema": 3})", "expected a string"},
      {R"({"schema": "draft-correction/2"})", "expected draft-correction/1, found \"draft-correction/2\""},
      {R"({"schema": "draft-correction/1"})", "missing key \"temperature\""},
      {file("0", "[]", "[]", "1"), "temperature: expected a finite number above 0, found 0"},
      {file("-1", "[]", "[]", "1"), "temperature: expected a finite number above 0"},
      {file("1e999", "[]", "[]", "1"), "not valid JSON"},
      {file("null", "[]", "[]", "1"), "temperature: expected a finite number"},
      {file("1", "[]", "[]", "0"), "off_spine: expected a number above 0, at most 1, found 0"},
      {file("1", "[]", "[]", "1.5"), "off_spine: expected a number above 0, at most 1, found 1.5"},
      {file("1", "[0.1, 0.2]", "[0.1]", "1"), "observed: expected 2 values, one per value of stated, found 1"},
      {file("1", "[]", "[0.1]", "1"), "observed: expected 0 values"},
      {file("1", "[0.2, 0.2]", "[0.1, 0.2]", "1"), "stated[1]: expected more than 0.2, found 0.2"},
      {file("1", "[0.1, 0.2]", "[0.2, 0.1]", "1"), "observed[1]: expected at least 0.2, found 0.1"},
      {file("1", "[0.1, 1.2]", "[0.1, 0.2]", "1"), "stated[1]: expected 0 to 1, found 1.2"},
      {file("1", "[0.1]", "[-0.1]", "1"), "observed[0]: expected 0 to 1, found -0.1"},
      {file("1", "[0.1, \"x\"]", "[0.1, 0.2]", "1"), "stated[1]: expected a finite number"},
      {file("1", "0.1", "[]", "1"), "stated: expected an array of numbers"},
  };
  for (const auto& [text, part] : cases) {
    const Result<Correction> read = parse_correction_json(text, "made.json");
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.error(), HasSubstr(part)) << text;
    EXPECT_THAT(read.error(), HasSubstr("made.json")) << text;
    EXPECT_EQ(read.error().find('\n'), std::string::npos) << text;
  }
}

TEST(CorrectionJson, NumbersThatAreNotFiniteAreNamed) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<Correction, std::string>> cases = {
      {{nan, {}, {}, 1}, "temperature"},         {{infinity, {}, {}, 1}, "temperature"}, {{1, {}, {}, nan}, "off_spine"},
      {{1, {0.1, nan}, {0, 1}, 1}, "stated[1]"}, {{1, {0.1}, {infinity}, 1}, "observed[0]"}};
  for (const auto& [correction, part] : cases) {
    const Status valid = validate(correction);
    ASSERT_FALSE(valid.ok()) << part;
    EXPECT_THAT(valid.error(), HasSubstr(part));
  }
}

}  // namespace
}  // namespace draftscope
