// The lexical rules, one by one.
#include "control/config/source.h"

#include <gtest/gtest.h>

#include "control/config/include.h"
#include "control/config/tree.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

struct Read {
  Diagnostics diagnostics;
  std::string text;  // One line a line, words joined by '|', braces as they are.
};

Read read(MemoryLoader& loader) {
  Read result;
  SourceOptions options;
  options.config_id = "node1";
  options.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "VIP") return "10.0.0.9";
    return std::nullopt;
  };
  for (const Line& line : read_source("/c/main.conf", loader, options, result.diagnostics)) {
    if (line.kind == Line::Kind::kOpen) result.text += "{";
    if (line.kind == Line::Kind::kClose) result.text += "}";
    for (std::size_t i = 0; i < line.words.size(); ++i) {
      result.text += (i > 0 ? "|" : "") + line.words[i].text;
    }
    result.text += "\n";
  }
  return result;
}

Read read(std::string text) {
  MemoryLoader loader({{"/c/main.conf", std::move(text)}});
  return read(loader);
}

std::string lines_of(std::string text) {
  return read(std::move(text)).text;
}

TEST(Source, CommentsEndLinesOutsideQuotes) {
  EXPECT_EQ(lines_of("a b # c\n! d\ne ! f\n"), "a|b\ne\n");
  EXPECT_EQ(lines_of("a \"b # ! c\"\n"), "a|b # ! c\n");
  EXPECT_EQ(lines_of("a b\\#c \\!d\n"), "a|b#c|!d\n");
  EXPECT_EQ(lines_of("a b${_HASH}c${_BANG}\n"), "a|b#c!\n");
}

TEST(Source, WhitespaceAndLineEnds) {
  EXPECT_EQ(lines_of("\t a\f b \v c\r\n\r\n \n d"), "a|b|c\nd\n");
}

TEST(Source, QuotesGroupAWord) {
  EXPECT_EQ(lines_of("a \"b  c\" d\n"), "a|b  c|d\n");
  const Read open = read("a \"b c\nd\n");
  EXPECT_EQ(open.text, "a\nd\n");
  EXPECT_EQ(open.diagnostics.exit_code(), 5);
}

TEST(Source, BracesSplitLines) {
  EXPECT_EQ(lines_of("a b{c d}e\n"), "a|b\n{\nc|d\n}\ne\n");
  EXPECT_EQ(lines_of("a \"{b}\"\n"), "a|{b}\n");
}

TEST(Source, LongLinesAndNulAreReported) {
  const Read longest = read("a " + std::string(1021, 'x') + "\n");
  EXPECT_EQ(longest.diagnostics.items().size(), 0U);
  const Read too_long = read("a " + std::string(1022, 'x') + "\nb\n");
  EXPECT_EQ(too_long.text, "b\n");
  EXPECT_EQ(too_long.diagnostics.exit_code(), 5);
  const Read nul = read(std::string("a\0b\nc\n", 6));
  EXPECT_EQ(nul.text, "c\n");
  EXPECT_EQ(nul.diagnostics.exit_code(), 5);
}

TEST(Source, Definitions) {
  EXPECT_EQ(lines_of("$VIP=10.0.0.1\na $VIP\nb ${VIP}/24\nc $VIP/24\nd $VIP,x\n"),
            "a|10.0.0.1\nb|10.0.0.1/24\nc|$VIP/24\nd|10.0.0.1,x\n");
  EXPECT_EQ(lines_of("$A=1\n$A=2\na $A\n"), "a|2\n");
  EXPECT_EQ(lines_of("$A=x${B}\n$B=1\na $A\n$B=2\na $A\n"), "a|x1\na|x2\n");
  EXPECT_EQ(lines_of("$E=\na${E}b $NONE ${NONE}\n"), "ab|$NONE|$\n{\nNONE\n}\n");
  EXPECT_EQ(lines_of("$K=prio\n${K}rity 7\n"), "priority|7\n");
}

TEST(Source, MultiLineDefinitions) {
  EXPECT_EQ(lines_of("$M=a 1\\\n  b 2\\\n c 3\n$M\nd\n"), "a|1\nb|2\nc|3\nd\n");
}

TEST(Source, DefinitionsThatNeverEndAreBounded) {
  const Read self = read("$A=x $A\na $A\n");
  EXPECT_EQ(self.diagnostics.exit_code(), 5);
  std::string bomb = "$A0=xxxxxxxxxxxxxxxx\n";
  for (int i = 1; i < 15; ++i) {
    const std::string use = "${A" + std::to_string(i - 1) + "}";
    bomb += "$A" + std::to_string(i) + "=" + use + use + use + use + "\n";
  }
  const Read result = read(bomb + "a ${A14}\n");
  EXPECT_EQ(result.diagnostics.exit_code(), 5);
  EXPECT_LT(result.text.size(), 2 * Expander::kMaxExpandedBytes);
}

TEST(Source, PredefinedConstants) {
  EXPECT_EQ(lines_of("a ${_PWD} ${_INSTANCE} ${_ENV VIP}\n"), "a|/c|node1|10.0.0.9\n");
  EXPECT_EQ(lines_of("a ${_RANDOM 5 5}\n"), "a|5\n");
  EXPECT_EQ(lines_of("random_seed 3\na ${_RANDOM}\n"), lines_of("random_seed 3\na ${_RANDOM}\n"));
}

TEST(Source, Sequences) {
  EXPECT_EQ(lines_of("~SEQ(i, 3) a $i\n"), "a|1\na|2\na|3\n");
  EXPECT_EQ(lines_of("~SEQ(i, 2, 3) 10.0.$i.1/24\n"), "10.0.2.1/24\n10.0.3.1/24\n");
  EXPECT_EQ(lines_of("~SEQ(i, 10, -5, 0) a ${i}x\n"), "a|10x\na|5x\na|0x\n");
  EXPECT_EQ(lines_of("~SEQx(i, 9, 11) a $i\n"), "a|9\na|a\na|b\n");
  EXPECT_EQ(lines_of("~SEQ(i, 2) ~SEQ(j, 2) $i.$j\n"), "1.1\n1.2\n2.1\n2.2\n");
  EXPECT_EQ(lines_of("~LST(h, x, y) a $h\n"), "a|x\na|y\n");
  EXPECT_EQ(lines_of("~LST({a,b}, {1,2}, {3,4}) w $a-$b\n"), "w|1-2\nw|3-4\n");
  EXPECT_EQ(lines_of("$N=2\n~SEQ(i, $N) a $i\n"), "");  // `$N)` is no use of a name...
  EXPECT_EQ(lines_of("$N=2\n~SEQ(i, ${N}) a $i\n"), "a|1\na|2\n");
}

TEST(Source, SequencesAreBounded) {
  EXPECT_EQ(read("~SEQ(i, 1000000) a $i\n").diagnostics.exit_code(), 5);
  const Read product = read("~SEQ(i,9999) ~SEQ(j,9999) ~SEQ(k,9999) $i $j $k\n");
  EXPECT_EQ(product.diagnostics.exit_code(), 5);
  EXPECT_EQ(read("~SEQ(i, 1, 0, 5) a\n").diagnostics.exit_code(), 5);
  EXPECT_EQ(read("~SEQ(i\n").diagnostics.exit_code(), 5);
}

TEST(Source, Conditions) {
  EXPECT_EQ(lines_of("@node1 a 1\n@node2 b 2\n@^node1 c\n@^node2 d\n@node1\n"), "a|1\nd\n");
  EXPECT_EQ(lines_of("@node1 a {\n@node2 include x\nb\n}\n"), "a\n{\nb\n}\n");
}

TEST(Source, IncludesAreRelativeToTheirFile) {
  MemoryLoader loader({{"/c/main.conf", "include d/*.conf\nz\n"},
                       {"/c/d/1.conf", "a\ninclude e/x.conf\n"},
                       {"/c/d/2.conf", "b ${_PWD}\n"},
                       {"/c/d/e/x.conf", "x\n"}});
  const Read result = read(loader);
  EXPECT_EQ(result.text, "a\nx\nb|/c/d\nz\n");
  EXPECT_TRUE(result.diagnostics.items().empty());
}

TEST(Source, IncludeVariantsDemandMatches) {
  const std::pair<const char*, int> cases[] = {
      {"include none", 0},  {"includea none", 6},   {"includem none", 6},  {"includer none", 6},
      {"includew none", 0}, {"includew n*", 6},     {"includeb {x,n}", 6}, {"includea {x,y}", 0},
      {"include {x,n}", 0}, {"includer locked", 6}, {"include locked", 0}, {"include", 2}};
  for (const auto& [line, code] : cases) {
    MemoryLoader loader({{"/c/main.conf", line}, {"/c/x", "a\n"}, {"/c/y", "b\n"}});
    loader.add_unreadable("/c/locked");
    const Read result = read(loader);
    EXPECT_EQ(result.diagnostics.exit_code(), code) << line;
    EXPECT_EQ(result.diagnostics.can_run(), code == 0) << line;
  }
}

TEST(Source, IncludeCyclesEnd) {
  MemoryLoader loader;
  loader.add("/c/main.conf", "a\ninclude *.conf\ninclude main.conf\n");
  const Read result = read(loader);
  EXPECT_EQ(result.diagnostics.exit_code(), 5);
}

TEST(Source, ExpandsBraces) {
  EXPECT_EQ(expand_braces("a{b,c}d"), (std::vector<std::string>{"abd", "acd"}));
  EXPECT_EQ(expand_braces("{a,b}{c,d}").size(), 4U);
  EXPECT_EQ(expand_braces("plain"), std::vector<std::string>{"plain"});
}

TEST(Words, EscapesOfCommands) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(scan_escaped("\"/x a\" user 'g h'"), (Words{"/x a", "user", "g h"}));
  EXPECT_EQ(scan_escaped("a\\x41\\101\\ b \"q\\\"r\" \\cA\\E"), (Words{"aAA b", "q\"r", "\1\x1b"}));
  EXPECT_FALSE(scan_escaped("\"open"));
  EXPECT_EQ(split_arguments("/x 'a b'  c ''"), (Words{"/x", "a b", "c", ""}));
  EXPECT_FALSE(split_arguments("'open"));
}

TEST(Tree, NestsAndReportsBraces) {
  Diagnostics diagnostics;
  MemoryLoader loader;
  loader.add("/c/main.conf", "a\n{\nb { c 1 }\n}\n}\nd {\n");
  Statement root = build_tree(read_source("/c/main.conf", loader, {}, diagnostics), diagnostics);
  ASSERT_EQ(root.children.size(), 2U);
  EXPECT_EQ(root.children[0].children[0].children[0].words[1].text, "1");
  ASSERT_EQ(diagnostics.items().size(), 2U);
  EXPECT_EQ(to_string(diagnostics.items()[0]), "/c/main.conf:5:1: error: extra '}': ignored");
  EXPECT_EQ(diagnostics.exit_code(), 5);
}

TEST(Tree, DepthIsBounded) {
  Diagnostics diagnostics;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "a {\n";
  MemoryLoader loader({{"/c/main.conf", text}});
  build_tree(read_source("/c/main.conf", loader, {}, diagnostics), diagnostics);
  EXPECT_EQ(diagnostics.exit_code(), 5);
}

}  // namespace
}  // namespace keepline::config
