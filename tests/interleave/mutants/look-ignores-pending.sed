# SPDX-License-Identifier: GPL-2.0-or-later
# In a storm a sender takes an event for pending because it is linked or masked.
/^static inline bool is_on_its_way/,/^}/ {
    s/w & PENDING && w & (LINKED | MASKED)/w \& (LINKED | MASKED)/
}
