# SPDX-License-Identifier: GPL-2.0-or-later
# An event that is pending already is made pending once more when it is linked.
s/return w & PENDING && !(w & MASKED) &&/return w \& PENDING \&\& !(evtchn_fetch_or(word, PENDING) \& MASKED) \&\&/
