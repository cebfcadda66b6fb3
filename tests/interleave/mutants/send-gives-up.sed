# SPDX-License-Identifier: GPL-2.0-or-later
# A sender whose port has changed meanwhile does not start over.
s/} while (unlikely(!done));/} while (false \&\& !done);/
