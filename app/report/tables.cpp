#include "app/report/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "app/report/plot_frame.h"
#include "app/report/svg.h"

namespace draftscope {
namespace {

constexpr const char* kDash = "\u2013";

class Table {
 public:
  Table() { text_ = "<div class=\"wide\"><table>\n"; }
  /// Rows that are markup already.
  void head(const std::string& cells) { text_ += "<thead>" + cells + "</thead>\n<tbody>\n"; }
  void begin_row(bool reference = false) { text_ += reference ? "<tr class=\"reference\">" : "<tr>"; }
  void cell(const std::string& words, const char* css = nullptr) {
    if (css == nullptr) fmt::format_to(std::back_inserter(text_), "<td>{}</td>", escape_markup(words));
    else fmt::format_to(std::back_inserter(text_), "<td class=\"{}\">{}</td>", css, escape_markup(words));
  }
  void end_row() { text_ += "</tr>\n"; }
  std::string finish() && { return std::move(text_) + "</tbody></table></div>\n"; }

 private:
  std::string text_;
};

std::string p_words(double p) { return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p); }

void add_paired(Table& table, const PairedRatio& paired) {
  table.cell(ratio_words(paired.median, paired.median_interval, paired.n));
  table.cell(ratio_words(paired.geometric_mean, paired.geometric_mean_interval, paired.n));
  table.cell(paired.n == 0 ? kDash : fmt::format("{} / {} / {}", paired.sign.wins, paired.sign.losses, paired.sign.ties));
  table.cell(paired.n == 0 ? kDash : p_words(paired.sign.p));
}

bool is_reference(const ReportSection& section, size_t row) {
  return row == 0 || static_cast<int32_t>(row) == section.best_fixed;
}

std::string label_of(const ReportSection& section, size_t row) {
  const std::string& label = section.policies[row].label;
  return static_cast<int32_t>(row) == section.best_fixed ? label + " (best fixed)" : label;
}

/// Fastest row that is a method, hindsight not being one.
const PolicyRow& fastest_of(const ReportSection& section) {
  const PolicyRow* best = &section.policies[0];
  for (const PolicyRow& row : section.policies) {
    if (row.method != Method::kOracle && row.all.tokens_per_s() > best->all.tokens_per_s()) best = &row;
  }
  return *best;
}

}  // namespace

std::string ratio_words(double middle, const Interval& interval, int64_t n) {
  if (n == 1) return fmt::format("{:.3f}", middle);  // one prompt gives no interval
  return n == 0 ? kDash : fmt::format("{:.3f} [{:.3f}, {:.3f}]", middle, interval.low, interval.high);
}

std::string glance_table(const Report& report) {
  Table table;
  table.head("<tr><th>section</th><th>plain<br>tokens/s</th><th class=\"words\">fastest</th><th>tokens/s</th>"
             "<th>exact<br>/ plain</th><th class=\"words\">best fixed</th><th>exact<br>/ best fixed</th>"
             "<th>exact<br>/ CaDDTree</th><th>hindsight<br>/ exact</th><th>expected</th></tr>");
  for (size_t i = 0; i < report.sections.size(); ++i) {
    const ReportSection& section = report.sections[i];
    const PolicyRow& fastest = fastest_of(section);
    const PolicyRow* exact = section.row_of(Method::kExact);
    const auto ratio = [](const PairedRatio* paired) {
      return paired == nullptr ? kDash : ratio_words(paired->geometric_mean, paired->geometric_mean_interval, paired->n);
    };
    table.begin_row();
    table.cell(fmt::format("{}. {}", i + 1, section.title), "words");
    table.cell(short_number(section.policies[0].all.tokens_per_s()));
    table.cell(fastest.label, "words");
    table.cell(short_number(fastest.all.tokens_per_s()));
    table.cell(ratio(exact == nullptr ? nullptr : &exact->over_plain));
    table.cell(section.best_fixed < 0 ? kDash : section.policies[static_cast<size_t>(section.best_fixed)].label, "words");
    table.cell(ratio(exact == nullptr || section.best_fixed < 0 ? nullptr : &exact->over_best_fixed));
    table.cell(ratio(section.exact_over_caddtree ? &*section.exact_over_caddtree : nullptr));
    table.cell(section.hindsight_over_exact && section.hindsight_over_exact->n > 0
                   ? fmt::format("{:.3f}", section.hindsight_over_exact->geometric_mean) : kDash);
    table.cell(section.margin ? fmt::format("{:+.2f} %", 100 * (section.margin->ratio - 1)) : kDash);
    table.end_row();
  }
  return std::move(table).finish();
}

std::string figures_table(const ReportSection& section) {
  Table table;
  std::string head = "<tr><th>policy</th><th>tokens/s</th><th>95 % interval</th><th>tokens<br>per round</th>"
                     "<th>nodes<br>per round</th><th>ms<br>per round</th><th>expected<br>tokens/s</th>";
  if (section.live) head += "<th>draft<br>ms</th><th>grow<br>ms</th><th>verify<br>ms</th><th>accept,<br>commit ms</th><th>exact</th>";
  table.head(head + "</tr>");
  const PolicyRow& fastest = fastest_of(section);
  for (size_t i = 0; i < section.policies.size(); ++i) {
    const PolicyRow& row = section.policies[i];
    const PolicyFigures& all = row.all;
    const auto per_round_ms = [&](int64_t ns) { return fmt::format("{:.3f}", all.per_round(static_cast<double>(ns) * 1e-6)); };
    table.begin_row(is_reference(section, i));
    table.cell(label_of(section, i));
    table.cell(short_number(all.tokens_per_s()), &row == &fastest ? "best" : nullptr);
    table.cell(row.prompts.size() < 2 ? kDash
                                      : fmt::format("[{}, {}]", short_number(row.tokens_per_s_interval.low),
                                                    short_number(row.tokens_per_s_interval.high)));
    table.cell(fmt::format("{:.2f}", all.tokens_per_round()));
    table.cell(fmt::format("{:.1f}", all.nodes_per_round()));
    table.cell(fmt::format("{:.3f}", all.per_round(all.seconds * 1e3)));
    table.cell(all.expected_tokens_per_s > 0 ? short_number(all.expected_tokens_per_s) : kDash);
    if (section.live) {
      table.cell(per_round_ms(all.stages.draft_ns));
      table.cell(per_round_ms(all.stages.grow_ns));
      table.cell(per_round_ms(all.stages.verify_ns));
      table.cell(per_round_ms(all.stages.accept_ns + all.stages.commit_ns));
      table.cell(fmt::format("{} of {}", all.n_exact, all.n_prompts));
    }
    table.end_row();
  }
  return std::move(table).finish();
}

std::string paired_table(const ReportSection& section) {
  Table table;
  const std::string four = "<th>median [95 %]</th><th>geometric mean [95 %]</th><th>faster / slower / equal</th><th>p</th>";
  const bool fixed = section.best_fixed >= 0;
  std::string head = "<tr><th rowspan=\"2\">policy</th><th class=\"group\" colspan=\"4\">tokens/s against plain</th>";
  if (fixed) {
    head += "<th class=\"group\" colspan=\"4\">tokens/s against " +
            escape_markup(section.policies[static_cast<size_t>(section.best_fixed)].label) + ", the best fixed budget</th>";
  }
  table.head(head + "</tr><tr>" + four + (fixed ? four : "") + "</tr>");
  for (size_t i = 1; i < section.policies.size(); ++i) {
    table.begin_row(is_reference(section, i));
    table.cell(section.policies[i].label);
    add_paired(table, section.policies[i].over_plain);
    if (fixed) add_paired(table, section.policies[i].over_best_fixed);
    table.end_row();
  }
  return std::move(table).finish();
}

std::string domain_table(const Report& report, const ReportSection& section) {
  Table table;
  std::string head = "<tr><th rowspan=\"2\">policy</th>", second;
  for (const std::string& domain : report.domains) {
    head += "<th class=\"group\" colspan=\"2\">" + escape_markup(domain) + "</th>";
    second += "<th>tokens/s</th><th>per round</th>";
  }
  table.head(head + "</tr><tr>" + second + "</tr>");
  std::vector<double> most(report.domains.size(), 0.0);
  for (const PolicyRow& row : section.policies) {
    if (row.method == Method::kOracle) continue;
    for (size_t d = 0; d < most.size(); ++d) most[d] = std::max(most[d], row.domains[d].tokens_per_s());
  }
  for (size_t i = 0; i < section.policies.size(); ++i) {
    const PolicyRow& row = section.policies[i];
    table.begin_row(is_reference(section, i));
    table.cell(row.label);
    for (size_t d = 0; d < most.size(); ++d) {
      const bool best = row.method != Method::kOracle && row.domains[d].tokens_per_s() == most[d];
      table.cell(short_number(row.domains[d].tokens_per_s()), best ? "best" : nullptr);
      table.cell(fmt::format("{:.2f}", row.domains[d].tokens_per_round()));
    }
    table.end_row();
  }
  return std::move(table).finish();
}

std::string prompt_table(const Report& report, const ReportSection& section) {
  Table table;
  std::string head = "<tr><th>prompt</th><th>tokens</th>";
  for (const PolicyRow& row : section.policies) head += "<th>" + escape_markup(row.label) + "</th>";
  table.head(head + "</tr>");
  for (size_t k = 0; k < report.prompts.size(); ++k) {
    table.begin_row();
    table.cell(report.prompts[k].name);
    table.cell(fmt::format("{}", section.policies[0].prompts[k].n_tokens));
    for (const PolicyRow& row : section.policies) table.cell(short_number(row.prompts[k].tokens_per_s()));
    table.end_row();
  }
  return std::move(table).finish();
}

}  // namespace draftscope
