# SPDX-License-Identifier: GPL-2.0-or-later
# A new vcpu_info has no word selected.
s/^        select_all(d, vcpu_info);/        (void)select_all;/
