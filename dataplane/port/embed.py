#!/usr/bin/env python3
"""Writes a binary file as a C++ array: embed.py INPUT OUTPUT NAME."""
import sys

source, target, name = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read()
with open(target, "w") as file:
    file.write("#pragma once\n\n")
    file.write(f"inline constexpr unsigned char {name}[] = {{\n")
    for i in range(0, len(data), 20):
        file.write("    " + "".join(f"{byte}, " for byte in data[i : i + 20]) + "\n")
    file.write("};\n")
