print("cheat")
