#!/usr/bin/perl
# Writes casefold_table.h: the simple case folding (statuses C and S of CaseFolding.txt) of the Unicode
# version that this Perl knows. From the project's root:
#   perl core/base/casefold_table.pl >core/base/casefold_table.h
use strict;
use warnings;
use Unicode::UCD qw(prop_invmap);

my ($starts, $maps, $format, $default) = prop_invmap("Simple_Case_Folding");
die "unknown format $format" unless $format eq "a" && $default eq "0";

# Runs of characters at steps of 1 or 2 that fold by the same distance.
my @rows;
for my $i (0 .. $#$starts - 1) {
    next unless $maps->[$i];
    my $delta = $maps->[$i] - $starts->[$i];
    for my $c ($starts->[$i] .. $starts->[ $i + 1 ] - 1) {
        my $row = $rows[-1];
        my $gap = $row ? $c - $row->{last} : 0;
        if ($row && $row->{delta} == $delta
            && ($row->{step} ? $gap == $row->{step} : $gap == 1 || $gap == 2)) {
            $row->{last} = $c;
            $row->{step} = $gap;
        } else {
            push @rows, { first => $c, last => $c, step => 0, delta => $delta };
        }
    }
}

my $version = Unicode::UCD::UnicodeVersion();
print <<"END";
// Unicode $version simple case folding, written by core/base/casefold_table.pl.
// clang-format off
#ifndef BASE_CASEFOLD_TABLE_H
#define BASE_CASEFOLD_TABLE_H

#include <stdint.h>

// Each step-th character from first to last folds to itself plus delta.
struct casefold_range {
    uint32_t first, last, step;
    int32_t delta;
};

// Sorted; no two overlap.
static const struct casefold_range CASEFOLD_RANGES[] = {
END
printf "    {0x%04x, 0x%04x, %d, %d},\n", $_->{first}, $_->{last}, $_->{step} || 1, $_->{delta}
    for @rows;
print "};\n\n#endif\n";
