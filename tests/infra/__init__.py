"""Tests of templates, package, policies and prices."""
