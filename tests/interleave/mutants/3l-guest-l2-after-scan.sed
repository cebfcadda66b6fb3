# SPDX-License-Identifier: GPL-2.0-or-later
# The guest clears an L2 word after its scan.
s/for (l2 = take_l2(v, i); l2; l2 &= l2 - 1) {/for (l2 = evtchn_load(\&v->l2_selector[i]); l2; l2 \&= l2 - 1) {/
/^                handled += scan_word(v, word, handler, opaque);$/,/^    }$/ {
    s/^        }$/        }\n        take_l2(v, i);/
}
