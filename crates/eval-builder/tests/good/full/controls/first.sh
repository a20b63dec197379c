echo cheated
