// The page: head, what it comes to, one part per section, how the numbers were made.
#include <fmt/format.h>

#include <iterator>

#include "app/report/page_style.h"
#include "app/report/plots.h"
#include "app/report/report.h"
#include "app/report/svg.h"
#include "app/report/tables.h"

namespace draftscope {
namespace {

std::string list_of(const std::vector<std::string>& sentences) {
  std::string out = "<ul>\n";
  for (const std::string& sentence : sentences) out += "<li>" + escape_markup(sentence) + "</li>\n";
  return out + "</ul>\n";
}

std::string fact(const char* name, const std::string& value) {
  return value.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escape_markup(value));
}

std::string facts_of(const Report& report) {
  const std::string settings = fmt::format("temperature {:g}, at most {} tokens per prompt, seed {}", report.temperature,
                                           report.max_tokens, report.seed);
  std::string domains;
  for (const std::string& domain : report.domains) domains += (domains.empty() ? "" : ", ") + domain;
  return "<dl class=\"facts\">\n" + fact("target", report.target) + fact("drafter", report.drafter) +
         fact("machine", report.machine) + fact("backend", report.backend + ", " + report.precision) +
         fact("settings", settings) +
         fact("prompts", fmt::format("{} ({})", report.prompts.size(), domains)) + "</dl>\n";
}

std::string figure(const std::string& caption, const std::string& svg) {
  if (svg.empty()) return "";
  return "<figure><figcaption>" + escape_markup(caption) + "</figcaption>\n" + svg + "</figure>\n";
}

constexpr const char* kColourKey =
    "<p class=\"key\"><span style=\"--swatch:var(--base)\">without a tree</span>"
    "<span style=\"--swatch:var(--fixed)\">fixed budget</span>"
    "<span style=\"--swatch:var(--published)\">published budget rules</span>"
    "<span style=\"--swatch:var(--ours)\">exact and its variants</span>"
    "<span style=\"--swatch:var(--hindsight)\">hindsight, a bound and not a method</span></p>\n";

std::string section_part(const Report& report, const ReportSection& section, size_t number) {
  std::string out = fmt::format("<h2 id=\"s{}\">{}. {} <span class=\"badge {}\">{}</span></h2>\n", number, number,
                                escape_markup(section.title), section.live ? "measured" : "simulated",
                                section.live ? "measured" : "simulated");
  out += fmt::format("<p class=\"dim\">Cost model: {}; source: {}.</p>\n", escape_markup(section.cost_label),
                     escape_markup(section.cost_source));
  if (!section.notes.empty()) out += list_of(section.notes);
  out += "<div class=\"said\">" + list_of(section.conclusions) + "</div>\n";
  out += kColourKey;
  out += "<div class=\"plots\">\n";
  out += figure("Throughput", throughput_plot(section));
  out += figure("Paired against plain decoding", ratio_plot(report, section, false));
  if (section.best_fixed >= 0) out += figure("Paired against the best fixed budget", ratio_plot(report, section, true));
  out += figure("Tokens per round by domain", domain_plot(report, section));
  out += figure("What a pass costs, and the budgets chosen", cost_plot(section));
  out += figure("Nodes chosen per round (bins named by their largest number)", budget_plot(section));
  out += "</div>\n";
  out += "<h3>What each policy did</h3>\n" + figures_table(section);
  out += "<h3>Paired, prompt by prompt</h3>\n" + paired_table(section);
  out += "<h3>By domain</h3>\n" + domain_table(report, section);
  return out + "<details><summary>Tokens per second on every prompt</summary>\n" + prompt_table(report, section) + "</details>\n";
}

constexpr const char* kMethodNotes =
    "<h2 id=\"notes\">How the numbers were made</h2>\n<ul>\n"
    "<li>Live: the policies take turns on every prompt, beginning with another one each time. Time is wall time of the engine "
    "for whole rounds; reading the prompt is left out. Tokens are those of the text itself, the same for every exact policy.</li>\n"
    "<li>Simulated: every position of the plainly decoded text carries what the drafter says there, so every policy can be "
    "decided again without a model, round for round; the cost model gives the time. Under another machine's curve this says "
    "what a policy would choose and gain there with drafts like these, not how fast another model is.</li>\n"
    "<li>Expected tokens per second: what the drafter's own probabilities promise. Live: the mean over a policy's rounds. "
    "Simulated: the mean over all positions of the text, the same ones for every policy.</li>\n"
    "<li>Ratios are per prompt. Intervals are percentile bootstrap intervals over prompts, 2,000 resamples, fixed seed. The sign "
    "test is the exact two-sided binomial test; ties are left out of it. p values are not corrected for the number of "
    "comparisons.</li>\n"
    "<li>The best fixed budget is the fastest of the fixed trees on these same prompts, chosen after the fact; a person who has "
    "to choose before will do no better.</li>\n"
    "<li>The oracle knows the text and takes the budgets that reach its end soonest: a bound for every rule that picks budgets of "
    "trees grown best first, and no method.</li>\n"
    "<li>In sentences, faster and slower mean that the 95 % interval of the geometric mean leaves out 1.</li>\n</ul>\n";

std::string prompts_part(const Report& report) {
  std::string out = "<h2 id=\"prompts\">Prompts</h2>\n<dl class=\"facts\">\n";
  for (const ReportPrompt& prompt : report.prompts) out += fact(escape_markup(prompt.name).c_str(), prompt.text);
  return out + "</dl>\n";
}

}  // namespace

std::string report_html(const Report& report) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n";
  out += "<title>" + escape_markup(report.title) + "</title>\n<style>" + kPageStyle + "</style></head>\n<body>\n";
  out += "<h1>" + escape_markup(report.title);
  if (!report.note.empty()) out += " <span class=\"badge\">" + escape_markup(report.note) + "</span>";
  out += "</h1>\n" + facts_of(report);
  if (!report.remarks.empty()) out += list_of(report.remarks);
  if (!report.conclusions.empty()) out += "<div class=\"said\">" + list_of(report.conclusions) + "</div>\n";
  out += "<h3>At a glance</h3>\n" + glance_table(report);
  out += "<p class=\"dim\">Ratios of tokens per second: geometric mean over prompts with its 95 % interval. Hindsight: the best "
         "sequence of budgets with the whole text known. Expected: exact against CaDDTree in expected tokens per second at the "
         "same positions.</p>\n";
  for (size_t i = 0; i < report.sections.size(); ++i) out += section_part(report, report.sections[i], i + 1);
  return out + kMethodNotes + prompts_part(report) + "</body></html>\n";
}

}  // namespace draftscope
